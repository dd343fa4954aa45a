"""Two processes on one supernet: what one process would learn on the joint batch, and one architecture."""

from collections.abc import Iterator

import pytest
import torch
import torch.distributed as distributed

from nasengine.search.group import ALONE, Alone, Group, Part
from nasengine.search.strategy import Batch
from tests.search import joint
from tests.search.two_processes import Pair
from tests.waiting import META, Waiting


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with Pair(tmp_path_factory.mktemp("pair")) as two:
        yield two


def same(found: object, wanted: object, within: float = 0.0) -> None:
    """Tensors anywhere in lists and tables are equal; everything else is too."""
    if isinstance(wanted, dict):
        assert found.keys() == wanted.keys()
        for key in wanted:
            same(found[key], wanted[key], within)
    elif isinstance(wanted, list):
        assert len(found) == len(wanted)
        for one, other in zip(found, wanted, strict=True):
            same(one, other, within)
    elif isinstance(wanted, torch.Tensor):
        torch.testing.assert_close(found, wanted, rtol=within, atol=within)
    else:
        assert found == wanted


@pytest.mark.parametrize("made_by", ["darts", "second", "pr-darts", "fair"])
@pytest.mark.parametrize("batch", [8, 7])  # 7: one process has an image more
def test_without_batch_norm_two_learn_what_one_does_on_the_joint_batch(pair, made_by, batch):
    alone = joint.two_steps(ALONE, made_by, batch)
    assert all(float(slope.abs().max()) > 1e-4 for slope in alone["gates"])
    for found in pair.run(joint.two_steps, made_by, batch):
        same(found, alone, within=1e-6)


class Half(Alone):
    """One process that learns from one half of each batch."""

    def __init__(self, rank: int) -> None:
        self.half = rank

    def part(self, batch: Batch) -> Part:
        images, labels = (tensor.chunk(2)[self.half] for tensor in batch)
        return Part(images, labels, 1.0)


@pytest.mark.parametrize("made_by", ["darts", "pr-darts"])
def test_with_batch_norm_gradients_are_the_mean_of_the_parts(pair, made_by):
    parts = [joint.one_step(Half(rank), made_by, 8) for rank in (0, 1)]
    for found in pair.run(joint.one_step, made_by, 8):
        for name in ("gates", "weights", "losses"):
            pairs = zip(*(part[name] for part in parts), strict=True)
            same(found[name], [None if one is None else (one + other) / 2 for one, other in pairs], within=1e-6)
    whole = joint.one_step(ALONE, made_by, 8)
    assert not torch.allclose(whole["gates"][0], found["gates"][0], rtol=1e-6), "statistics of the parts are their own"


@pytest.mark.parametrize("made_by", ["darts", "second", "pr-darts", "sandwich", "fair", "shots", "elastic"])
def test_both_find_one_architecture_with_one_set_of_weights_and_only_the_first_tells(pair, made_by):
    first, second = pair.run(joint.searched, made_by)
    assert first.pop("told") == [1, 2, 3, 4] and second.pop("told") == []
    same(second, first)
    assert first["epochs"][-1]["train_accuracy"] != first["epochs"][0]["train_accuracy"]


def test_both_begin_with_what_the_first_process_has(pair):
    first, second = pair.run(joint.begun)
    same(second, first)


@pytest.mark.parametrize("made_by", ["second", "pr-darts", "elastic"])
def test_after_a_stop_two_go_on_to_the_same_numbers(pair, tmp_path, made_by):
    whole, path = pair.run(joint.searched, made_by), tmp_path / "supernet.pt"
    stopped = pair.run(joint.searched, made_by, path, 2)
    assert stopped == [("TrainingError", "killed")] * 2, "both hear of what befell the first"
    resumed = pair.run(joint.searched, made_by, path)
    assert resumed[0]["told"] == [3, 4]
    for found, wanted in zip(resumed, whole, strict=True):
        same({**found, "told": []}, {**wanted, "told": []})


def test_what_two_began_one_may_finish(pair, tmp_path):
    path = tmp_path / "supernet.pt"
    begun = pair.run(joint.searched, "darts", path, 2)
    assert begun[0][0] == "TrainingError"
    assert joint.searched(ALONE, "darts", path)["told"] == [3, 4]


def test_what_is_no_number_in_one_process_ends_both_with_one_error(pair):
    first, second = pair.run(joint.spoiled)
    assert first == second and first[0] == "TrainingError"
    assert "loss of the gates was no finite number in epoch 1, step 1 (of 2)" in first[1]


def test_different_architectures_are_refused_by_both(pair):
    first, second = pair.run(joint.apart)
    assert first == second and "settled on different architectures in epoch 1" in first[1]


def test_time_is_the_first_process_own(pair):
    assert pair.run(joint.timed) == [1, 1]


def test_a_batch_that_leaves_a_process_one_image_is_refused_by_both(pair):
    found = pair.run(joint.batch_of_three)
    assert found[0] == found[1] and "batches of 1 image came from recipe.batch 3" in found[0][1]
    assert "for 2 processes" in found[0][1]


def test_what_only_the_first_process_has_reaches_the_other(pair):
    state = {"weights": torch.arange(6.0).view(2, 3), "none": None, "list": [1, "two", 3.5, {"deep": True}]}
    for found in pair.run(joint.first_says, state):
        same(found, state)
    assert pair.run(joint.first_fails) == [("ValueError", "no file"), ("TrainingError", "no file")]


def test_tensors_of_all_kinds_are_copied_from_the_first_process(pair):
    first, second = pair.run(joint.copied)
    same(second, first)
    assert first[0].is_contiguous(memory_format=torch.channels_last) and second[1].tolist() == [True, False]


def test_all_kinds_of_tensors_are_averaged_each_in_its_layout(pair):
    first, second = pair.run(joint.averaged)
    same(second, first)
    wanted = [torch.stack(both).mean(0) for both in zip(joint.kinds(0), joint.kinds(1), strict=True)]
    same(first, wanted, within=1e-6)
    assert [one.dtype for one in first] == [one.dtype for one in wanted]
    assert first[0].is_contiguous(memory_format=torch.channels_last) and first[2].stride() == (9, 1, 3, 1)


def test_tensors_of_two_devices_cost_one_transfer_each_way(monkeypatch):
    reduced = []
    monkeypatch.setattr(distributed, "all_reduce", lambda flat: reduced.append((flat.device, len(flat))))
    group = Group.__new__(Group)
    group.size = 2
    tensors = [torch.zeros(3), torch.zeros((), device=META), torch.zeros(2, 2), torch.zeros(5, device=META)]
    with Waiting() as waiting:
        found = group.average(tensors)
    assert waiting.noted == ["to the CPU"] and reduced == [(META, 13)]
    assert [(one.device, one.shape) for one in found] == [(one.device, one.shape) for one in tensors]


def test_figures_count_as_much_as_their_images(pair):
    assert pair.run(joint.meant) == [{"loss": 0.75}, {"loss": 0.75}]


def test_the_process_with_the_least_memory_sets_the_batch_for_all(pair):
    (batch, notes), (other, no_notes) = pair.run(joint.fitted)
    assert batch == other == 8 and no_notes == []
    assert notes[0].startswith("batch 16 does not fit") and notes[0].endswith("going on with 8")


def test_alone_everything_stays_as_it_is():
    tensors, batch = [torch.ones(2)], (torch.ones(3, 1), torch.ones(3))
    assert ALONE.average(tensors)[0] is tensors[0] and ALONE.part(batch).images is batch[0]
    assert ALONE.least(7) == 7 and ALONE.first(lambda: "said") == "said"
    assert ALONE.mean({"loss": 0.1}, 3) == {"loss": 0.1}
