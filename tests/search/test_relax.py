"""The gradient loop: what it records, what it chooses, and that an interruption changes no number."""

from functools import partial

import pytest
import torch

from nasengine.errors import TrainingError
from nasengine.interpreters.model import Model
from nasengine.layers import Classifier, ConvNorm, DropPath, Identity
from nasengine.search.relax import relax
from nasengine.space import Architecture, Space, chain, choose, op
from nasengine.strategies.darts import Darts
from nasengine.strategies.pr_darts import PRDarts
from nasengine.training.recipe import Recipe

PAPER = partial(PRDarts, variant="paper")
SECOND = partial(Darts, order=2)
SGD = {"optimizer": "sgd", "lr": 0.05, "momentum": 0.9, "weight_decay": 3e-4}


def without_time(epochs):
    return [{name: value for name, value in record.items() if name != "seconds"} for record in epochs]


def test_a_search_learns_and_records_every_epoch(searched):
    seen = []
    found = searched(recipe={"epochs": 12}, on_epoch=lambda values, gates: seen.append((values, gates)))
    assert [values["epoch"] for values, _ in seen] == list(range(1, 13))
    first, last = found.epochs[0], found.epochs[-1]
    assert last["train_accuracy"] > 0.6 > first["train_accuracy"] and last["train_loss"] < 0.8 * first["train_loss"]
    for name in ("train_loss", "gate_loss", "gate_accuracy", "penalty", "skip_share", "gate_entropy", "lr", "seconds"):
        assert isinstance(last[name], float)
    values, gates = seen[-1]
    assert gates.keys() == {"first.op", "second.op"} and set(gates["first.op"]) == {"none", "skip", "pool", "conv"}
    assert Architecture.from_json(values["architecture"]) == found.architecture
    assert found.model.space.faults(found.architecture.picks) == []
    assert found.values["train_accuracy"] == last["train_accuracy"] and found.policy == "last" and found.epoch == 12


@pytest.mark.parametrize("made_by", [PRDarts, PAPER, Darts, SECOND])
def test_an_interrupted_search_goes_on_to_the_same_numbers(searched, tmp_path, made_by):
    class Killed(Exception):
        pass

    def kill(values, gates):
        if values["epoch"] == 2:
            raise Killed

    path, recipe = (
        tmp_path / "supernet.pt",
        {"epochs": 4, "batch": 7, "flip": True, **(SGD if made_by is SECOND else {})},
    )
    whole = searched(made_by, recipe)
    with pytest.raises(Killed):
        searched(made_by, recipe, checkpoint=path, on_epoch=kill)
    resumed = searched(made_by, recipe, checkpoint=path)
    assert without_time(resumed.epochs) == without_time(whole.epochs)
    assert resumed.architecture == whole.architecture
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, resumed.model.state_dict()[name]), name


def test_the_seed_decides_everything(searched):
    assert without_time(searched(seed=1).epochs) == without_time(searched(seed=1).epochs)
    assert without_time(searched(seed=1).epochs) != without_time(searched(seed=2).epochs)


def test_torchs_global_generator_stays_as_it_was(small_space, small_data):
    relaxation, before = PRDarts(small_space), torch.get_rng_state()
    relax(small_space, relaxation, small_data, Recipe(epochs=1, batch=8, flip=True))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_checkpoint_of_another_search_is_refused(searched, tmp_path):
    path = tmp_path / "supernet.pt"
    searched(recipe={"epochs": 1}, checkpoint=path)
    torch.load(path, weights_only=True)
    with pytest.raises(TrainingError, match="strategy PRDarts came; Darts is wanted"):
        searched(Darts, recipe={"epochs": 1}, checkpoint=path)


def test_best_chooses_the_epoch_of_highest_gate_accuracy_and_last_the_last(searched):
    last, best = searched(recipe={"epochs": 6}), searched(recipe={"epochs": 6}, policy="best")
    accuracies = [record["gate_accuracy"] for record in best.epochs]
    assert best.epoch == accuracies.index(max(accuracies)) + 1
    assert best.values["gate_accuracy"] == max(accuracies)
    assert best.architecture.to_json() == best.epochs[best.epoch - 1]["architecture"]
    assert last.epoch == 6 and last.policy == "last" and best.policy == "best"
    with pytest.raises(TrainingError, match='"first" came'):
        searched(policy="first")


def test_a_loss_that_is_no_number_names_epoch_step_and_rate(small_space, small_data):
    small_data.train.images[:] = float("nan")
    with pytest.raises(TrainingError, match=r"gates was no finite number in epoch 1, step 1 \(of 3\).* lr 0\.01"):
        relax(small_space, PRDarts(small_space), small_data, Recipe(epochs=1, batch=8))


def test_batches_of_one_image_are_refused(searched):
    with pytest.raises(TrainingError, match=r"batches of 1 image came from recipe\.batch 1"):
        searched(recipe={"batch": 1})


def test_the_second_order_refuses_what_it_cannot_look_ahead(searched):
    with pytest.raises(TrainingError, match="plain sgd"):
        searched(SECOND)


def test_the_second_order_moves_the_gates_differently(searched):
    gates = []
    for made_by in (Darts, SECOND):
        searched(made_by, {**SGD, "epochs": 2}, on_epoch=lambda values, now: gates.append(now))
    assert gates[1] != gates[3]


def test_time_running_out_ends_the_search_after_an_epoch(searched):
    assert len(searched(recipe={"epochs": 9}, out_of_time=lambda: True).epochs) == 1


def test_the_batch_can_be_lowered_before_anything_is_built(searched):
    asked = []

    def half(space, batch):
        asked.append((space.name, batch))
        return batch // 2

    assert len(searched(recipe={"epochs": 1}, batch_for=half).epochs) == 1
    assert asked == [("small", 8)]


def test_weights_are_channels_last(searched):
    model = searched(recipe={"epochs": 1}).model
    kernels = [w for w in model.parameters() if w.dim() == 4 and w.shape[1] > 1 and w.shape[2] > 1]
    assert kernels and all(w.is_contiguous(memory_format=torch.channels_last) for w in kernels)


def test_a_note_tells_of_collapse_and_of_rules_that_leave_the_space(small_space, small_data):
    class Skips(Darts):
        def __init__(self, space):
            super().__init__(space)
            self.outside = ("first.op",)
            column = self.rows[0].options.index("skip")
            for tensor in self.weights:
                tensor.data[:, column] = 30.0

    notes = []
    relax(small_space, Skips(small_space), small_data, Recipe(epochs=3, batch=8), on_note=notes.append)
    assert len(notes) == 3  # each once, however many epochs
    assert "skip connections are 100%" in notes[0] and "entropy" in notes[1] and "left the space" in notes[2]


def test_the_supernet_is_that_of_the_space(searched, small_space):
    assert searched(recipe={"epochs": 1}).model.state_dict().keys() == Model(small_space).state_dict().keys()


def test_layers_that_are_not_run_together_are_named(small_data):
    noisy = choose("op", skip=op(Identity), dropped=chain(op(ConvNorm, width=4), op(DropPath)))
    space = Space("noisy", (1, 6, 6), chain(op(ConvNorm, width=4), first=noisy, head=op(Classifier, classes=3)))
    notes = []
    relax(space, Darts(space), small_data, Recipe(epochs=1, batch=8), on_note=notes.append)
    said = "layers that are not run together, but one by one: DropPath (it draws random numbers in training)"
    assert notes[0] == said and notes.count(said) == 1
