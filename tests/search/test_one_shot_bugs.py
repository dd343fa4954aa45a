"""Bugs of one-shot searches that make no noise: what is searched is then not what is found. One test for each.

They were found in published code: images for the gates that never change, structures that differ between search and
evaluation, the last cell exported for the best, weights' optimizers that hold the gates, dead gradients, and more.
"""

import random
import re
from collections import Counter
from pathlib import Path

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from nasengine.interpreters.model import Model
from nasengine.search import turns
from nasengine.search.group import ALONE
from nasengine.search.relax import relax
from nasengine.search.turns import Turns
from nasengine.space import Mixture
from nasengine.strategies.darts import Darts
from nasengine.strategies.pr_darts import PRDarts
from nasengine.training.recipe import Recipe

ENGINE = Path(turns.__file__).parents[1]
SGD = {"optimizer": "sgd", "lr": 0.05, "momentum": 0.9, "weight_decay": 0.1}


class Count(TorchDispatchMode):
    """Counts the operations that reach the device; for convolutions' gradients, those of weights apart."""

    def __init__(self):
        super().__init__()
        self.calls = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__
        self.calls[name] += 1
        if name == "convolution_backward" and args[-1][1]:
            self.calls["weight gradient"] += 1
        return func(*args, **(kwargs or {}))


def started(space, data, made_by=PRDarts, **recipe) -> Turns:
    torch.manual_seed(0)
    values = {"epochs": 2, "batch": 8, "lr": 0.01, **recipe}
    return Turns(space, made_by(space), data, Recipe(**values), 0, torch.device("cpu"))


def batch_of(search: Turns):
    return search.for_weights.images[:8], search.for_weights.labels[:8]


@pytest.mark.parametrize("made_by", [PRDarts, Darts])
def test_the_images_for_the_gates_advance_between_their_steps(small_space, small_data, made_by, monkeypatch):
    search, seen = started(small_space, small_data, made_by), []
    real = search.for_gates.next
    monkeypatch.setattr(search.for_gates, "next", lambda: seen.append(real()) or seen[-1])
    search.epoch()
    assert len(seen) == 3
    images = torch.cat([batch[0] for batch in seen])
    assert len(torch.unique(images.flatten(1), dim=0)) == 24  # all of their half, each once


def test_gates_and_weights_never_see_each_others_images_nor_those_kept_for_judging(small_space, small_data):
    search = started(small_space, small_data)
    parts = [search.for_weights.images, search.for_gates.split.images]
    parts += [small_data.validation.images, small_data.test.images]
    everything = torch.cat(parts).flatten(1)
    assert len(torch.unique(everything, dim=0)) == len(everything) == 48 + 12 + 12


def test_the_gates_step_computes_no_gradient_of_weights(small_space, small_data):
    search = started(small_space, small_data, Darts)
    before = [weight.detach().clone() for weight in search.weights]
    with Count() as count:
        search._gate_step(ALONE.part(batch_of(search)), turns.Meter())
    assert count.calls["convolution_backward"] > 0 and count.calls["weight gradient"] == 0
    assert all(weight.grad is None for weight in search.weights)
    assert all(torch.equal(a, b) for a, b in zip(before, search.weights, strict=True))


def test_the_weights_step_computes_no_gradient_of_gates(small_space, small_data):
    search = started(small_space, small_data, Darts)
    before = [gate.detach().clone() for gate in search.gates]
    with Count() as count:
        search._weight_step(ALONE.part(batch_of(search)), turns.Meter())
    assert count.calls["weight gradient"] > 0 and count.calls["_softmax_backward_data"] == 0
    assert all(gate.grad is None for gate in search.gates)
    assert all(torch.equal(a, b) for a, b in zip(before, search.gates, strict=True))


@pytest.mark.parametrize("made_by", [PRDarts, Darts])
def test_the_optimizers_of_weights_and_gates_hold_nothing_of_each_other(small_space, small_data, made_by):
    search = started(small_space, small_data, made_by)
    of_weights = {id(p) for group in search.optimizer.param_groups for p in group["params"]}
    of_gates = {id(p) for group in search.gate_optimizer.param_groups for p in group["params"]}
    assert of_gates == {id(gate) for gate in search.relaxation.parameters()}
    assert of_weights == {id(weight) for weight in search.model.parameters()}
    assert not of_weights & of_gates


def test_the_weights_decay_momentum_and_clip_never_touch_the_gates(small_space, small_data):
    """With a huge decay of weights and a tiny clip, the gates move as their own Adam alone would move them."""
    moves = []
    for recipe in ({**SGD, "weight_decay": 5.0, "clip": 1e-6}, {**SGD, "weight_decay": 0.0, "clip": 0.0}):
        search = started(small_space, small_data, Darts, **recipe)
        search._gate_step(ALONE.part(batch_of(search)), turns.Meter())
        search._weight_step(ALONE.part(batch_of(search)), turns.Meter())
        moves.append([gate.detach().clone() for gate in search.gates])
    assert all(torch.equal(a, b) for a, b in zip(*moves, strict=True))


def test_unselected_options_are_not_run(small_space, small_data):
    search = started(small_space, small_data)
    search.network = search.model  # the walk: hooks see every layer
    ran = []
    for place, layer in search.model.layers():
        layer.register_forward_hook(lambda layer, inputs, output, place=place: ran.append(place))
    for step in (search._gate_step, search._weight_step):
        ran.clear()
        step(ALONE.part(batch_of(search)), turns.Meter())
        drawn = search.relaxation.drawn[0]
        rows = search.relaxation.rows[0]
        wanted = {
            f"{name.split('.')[0]}.{option}"
            for name, row in zip(rows.decisions, drawn.tolist(), strict=True)
            for option, on in zip(rows.options, row, strict=True)
            if on
        }
        inside = {place for place in ran if place.startswith(("first.", "second."))}
        assert inside == wanted and len(wanted) == 4


@pytest.mark.parametrize("made_by", [PRDarts, Darts])
def test_a_step_reads_at_most_two_numbers_back(small_space, small_data, made_by):
    search = started(small_space, small_data, made_by)
    search.epoch()  # optimizers have their state now
    batch = search._prepared(batch_of(search))
    with Count() as count:
        search._gate_step(batch, turns.Meter())
        search._weight_step(batch, turns.Meter())
    waits = ("_local_scalar_dense", "nonzero", "is_nonzero", "equal", "unique_dim", "masked_select")
    assert sum(count.calls[name] for name in waits) <= 2


def test_a_supernet_with_one_hot_gates_is_the_network_found(small_space):
    torch.set_default_dtype(torch.float64)
    supernet, rng = Model(small_space), random.Random(0)
    supernet(torch.randn(8, 1, 6, 6), small_space.sample(rng))  # batch statistics that are not the initial ones
    supernet.eval()
    x = torch.randn(4, 1, 6, 6)
    for _ in range(5):
        architecture = small_space.sample(rng)
        hot = {name: {option: torch.ones(()) for option in kept} for name, kept in architecture.picks.items()}
        alone = supernet.inherit(architecture).eval()(x)
        assert torch.equal(supernet(x, architecture), alone)
        assert torch.allclose(supernet(x, Mixture(hot)), alone, rtol=1e-12)


def test_search_and_evaluation_agree_on_the_structure(searched):
    """Every architecture is built with the very layers that were searched, by the same names, and no others."""
    supernet = searched(recipe={"epochs": 1}).model
    whole = supernet.state_dict()
    for architecture in supernet.space.enumerate():
        child = Model(supernet.space, architecture).state_dict()
        assert all(whole[name].shape == tensor.shape for name, tensor in child.items())
        inside = {tuple(name.split(".")[:2]) for name in child if name.startswith(("first.", "second."))}
        assert inside == {(d.split(".")[0], kept[0]) for d, kept in architecture.picks.items() if kept == ("conv",)}


def test_the_weights_that_are_inherited_are_those_that_were_trained(searched):
    found = searched()
    child = found.model.inherit(found.architecture)
    for name, tensor in child.state_dict().items():
        assert torch.equal(tensor, found.model.state_dict()[name]), name


def test_the_best_epochs_cell_is_given_and_not_the_lasts(small_space, small_data):
    """A relaxation that settles on another architecture each epoch, with gates that spoil the later ones."""
    architectures = list(small_space.enumerate())

    class Restless(Darts):
        at_epoch = -1

        def at(self, progress):
            self.at_epoch += 1
            if self.at_epoch:
                for weights in self.weights:
                    weights.data[:, 0] = 40.0  # nothing but `none`: every output is the same

        def settle(self):
            return architectures[self.at_epoch]

    recipe = Recipe(epochs=4, batch=8, lr=0.02)
    best = relax(small_space, Restless(small_space, gate_rate=0.0), small_data, recipe, policy="best")
    last = relax(small_space, Restless(small_space, gate_rate=0.0), small_data, recipe, policy="last")
    assert last.architecture == architectures[3]
    assert best.architecture == architectures[best.epoch - 1]
    scores = [record["gate_accuracy"] for record in best.epochs]
    assert scores[best.epoch - 1] == max(scores)


def test_no_code_names_a_kind_of_device_it_runs_on():
    for folder in ("search", "interpreters", "layers", "strategies", "search_spaces"):
        for path in (ENGINE / folder).rglob("*.py"):
            assert not re.search(r"\.cuda\(|device=\"cuda|to\(\"cuda", path.read_text()), path


@pytest.mark.parametrize("made_by", [PRDarts, Darts])
def test_a_supernet_runs_on_the_meta_device(small_space, made_by):
    from nasengine.search.steps import moved

    model = Model(small_space).to("meta")
    picks = made_by(small_space).draws(torch.Generator().manual_seed(0))[0]
    output = model(torch.empty(4, 1, 6, 6, device="meta"), moved(picks, torch.device("meta")))
    assert output.shape == (4, 3) and output.device.type == "meta"


def test_the_temperature_ends_where_the_schedule_says(small_space, small_data):
    relaxation = PRDarts(small_space)
    relax(small_space, relaxation, small_data, Recipe(epochs=3, batch=8))
    assert relaxation.temperature == pytest.approx(relaxation.coldest)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here, and only one can be waited for")
@pytest.mark.parametrize("made_by", [PRDarts, Darts])
def test_a_step_on_a_gpu_waits_at_most_twice(small_space, small_data, made_by, recwarn):
    torch.manual_seed(0)
    search = Turns(small_space, made_by(small_space), small_data, Recipe(epochs=2, batch=8), 0, torch.device("cuda"))
    search.epoch()
    batch = search._prepared((search.for_weights.images[:8], search.for_weights.labels[:8]))
    recwarn.clear()
    torch.cuda.set_sync_debug_mode("warn")
    try:
        search._gate_step(batch, turns.Meter())
        search._weight_step(batch, turns.Meter())
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert sum("synchroniz" in str(warning.message) for warning in recwarn) <= 2
