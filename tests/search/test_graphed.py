"""Halves of steps that are recorded teach what they teach without; here a recording is run again."""

import gc
import logging
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nasengine import plugins
from nasengine.search import graphed
from nasengine.search.graphed import Graphs, graphs_for
from nasengine.search.graphed_cuda import Learn
from nasengine.search.group import ALONE, Alone
from nasengine.search.turns import Turns
from nasengine.space import Space
from nasengine.strategies.darts import Darts
from nasengine.strategies.pr_darts import PRDarts
from nasengine.training.data import Dataset, Split
from nasengine.training.metrics import Meter
from nasengine.training.recipe import Recipe

CPU = torch.device("cpu")
RECIPE = Recipe(epochs=3, batch=8, optimizer="sgd", lr=0.05, momentum=0.9, clip=1.0, label_smoothing=0.1)
CELLS = {"input": (1, 6, 6), "channels": 2, "layers": 2, "drop_path": False}
Made = Callable[..., Turns]


class Again:
    """In place of a GPU's recorder: what was recorded is run again, into the tensors that it gave first.

    As a graph it holds no more than these tensors.
    """

    def __init__(self) -> None:
        self.recorded = self.repeated = 0

    def __call__(self, learn: Learn) -> Learn:
        self.recorded += 1
        learn()
        held, again = learn(), weakref.WeakMethod(learn)

        def repeat() -> tuple[Tensor, Tensor]:
            self.repeated += 1
            for kept, fresh in zip(held, again()(), strict=True):
                kept.copy_(fresh)
            return held

        return repeat


@pytest.fixture
def made(small_space: Space, small_data: Dataset, monkeypatch: pytest.MonkeyPatch) -> Made:
    """`made(again=…)`: the turns of a small search in double precision, with recordings or without."""
    monkeypatch.setattr(torch.Tensor, "float", torch.Tensor.double)  # the loop goes back to float32 before a loss

    def make(strategy: Any = Darts, space: Space = small_space, again: Any = None, **recipe: Any) -> Turns:
        torch.manual_seed(0)
        train = Split(small_data.train.images.double(), small_data.train.labels)
        relaxation = strategy(space)
        for gate in relaxation.parameters():
            gate.data = gate.data.double()
        turns = Turns(space, relaxation, replace(small_data, train=train), replace(RECIPE, **recipe), 0, CPU)
        turns.model.double().train()
        turns.graphs = None if again is None else Graphs(turns.weights, again)
        return turns

    return make


def steps(turns: Turns, sizes: Sequence[int]) -> list[Tensor]:
    """Losses of steps on batches of these sizes."""
    split, meters = turns.for_weights, (Meter(), Meter())
    for i, size in enumerate(sizes):
        turns.step((split.images[i : i + size], split.labels[i : i + size]), meters)
    return [loss for meter in meters for loss in meter.losses]


def near(one: Tensor, other: Tensor) -> bool:
    return bool((one - other).abs().max() <= 1e-10)


def agree(one: Turns, other: Turns) -> None:
    """Weights, statistics and gates are equal."""
    state, same = one.model.state_dict(), other.model.state_dict()
    assert list(state) == list(same) and all(near(state[name], same[name]) for name in state)
    assert all(map(near, one.gates, other.gates))


@pytest.mark.parametrize("name", ["small", "darts"])
def test_three_steps_are_those_without_recordings(made: Made, small_space: Space, name: str) -> None:
    norms = {"affine": False, "pool_norm": True}
    chosen = small_space if name == "small" else plugins.load_space("darts", CELLS | norms)
    again = Again()
    plain, recorded = made(space=chosen), made(space=chosen, again=again)
    before = [gate.detach().clone() for gate in recorded.gates]
    assert all(map(near, steps(plain, [8] * 3), steps(recorded, [8] * 3)))
    agree(plain, recorded)
    assert (again.recorded, again.repeated) == (2, 6)
    assert not any(map(near, before, recorded.gates))


def test_weights_that_no_loss_reaches_have_no_gradient(made: Made) -> None:
    """An optimizer with weight decay would move them."""
    plain, recorded = made(weight_decay=0.1), made(weight_decay=0.1, again=Again())
    for turns in (plain, recorded):
        lone = nn.Parameter(torch.ones(3, dtype=torch.float64))
        turns.weights.append(lone)
        turns.optimizer.add_param_group({"params": [lone]})
        steps(turns, [8, 8])
        assert lone.grad is None and torch.equal(lone, torch.ones_like(lone))
    agree(plain, recorded)


def test_batches_of_another_size_run_without(made: Made) -> None:
    again = Again()
    plain, recorded = made(), made(again=again)
    assert all(map(near, steps(plain, [8, 5, 8]), steps(recorded, [8, 5, 8])))
    agree(plain, recorded)
    assert (again.recorded, again.repeated) == (2, 5)  # the gates' batches are all full


class Sampled(PRDarts):
    """Without its penalty, which is in single precision."""

    def penalty(self) -> Tensor:
        return torch.zeros(())


@pytest.mark.parametrize("variant", ["code", "paper"])
def test_gates_that_are_sampled_run_without(made: Made, variant: Any) -> None:
    again = Again()
    plain, recorded = (made(lambda space: Sampled(space, variant), again=one) for one in (None, again))
    steps(plain, [8] * 3), steps(recorded, [8] * 3)
    agree(plain, recorded)
    assert (again.recorded, again.repeated) == (0, 0)


def test_a_model_that_was_moved_is_recorded_anew(made: Made) -> None:
    again = Again()
    plain, recorded = made(), made(again=again)
    for turns in (plain, recorded):
        steps(turns, [8])
        turns.model.to(torch.float32).to(torch.float64)
        steps(turns, [8, 8])
    agree(plain, recorded)
    assert (again.recorded, again.repeated) == (4, 6)


def test_a_search_goes_on_from_a_checkpoint_to_the_same_numbers(made: Made, tmp_path: Any) -> None:
    whole, begun, resumed = (made(again=Again()) for _ in range(3))
    whole.epoch(), begun.epoch()
    begun.save(tmp_path / "supernet.pt")
    steps(resumed, [8])  # recordings made before a checkpoint is read still serve after it
    resumed.restore(tmp_path / "supernet.pt")
    assert whole.epoch()["train_loss"] == resumed.epoch()["train_loss"]
    agree(whole, resumed)


def test_bfloat16_is_that_without_recordings(made: Made) -> None:
    plain, recorded = (made(again=one, precision="bfloat16") for one in (None, Again()))
    steps(plain, [8] * 3), steps(recorded, [8] * 3)
    agree(plain, recorded)
    assert torch.is_autocast_cache_enabled()


def test_what_cannot_be_recorded_runs_without_and_is_told_once(made: Made, caplog: pytest.LogCaptureFixture) -> None:
    def refused(learn: Learn) -> Learn:
        learn()  # norms have seen a batch by then
        raise RuntimeError("operation not permitted when stream is capturing\nand more")

    plain, recorded = made(), made(again=refused)
    with caplog.at_level(logging.INFO, "nasengine.search"):
        steps(plain, [8] * 3), steps(recorded, [8] * 3)
    agree(plain, recorded)
    assert [record.getMessage() for record in caplog.records] == [
        "supernet: its steps cannot be CUDA graphs and run without "
        "(operation not permitted when stream is capturing)"
    ]  # fmt: skip


def asserting(learn: Learn) -> Learn:
    """Fails without a word, and the end of the recording fails over it."""
    try:
        raise AssertionError
    finally:
        raise RuntimeError("CUDA error: operation failed due to a previous error during capture")


def unsupported(learn: Learn) -> Learn:
    """An error that says why it was raised over another."""
    try:
        raise KeyError("deep inside")
    except KeyError as error:
        raise RuntimeError("this layer has no kernel\nfor bfloat16") from error


@pytest.mark.parametrize(
    ("capture", "reason"), [(asserting, "AssertionError"), (unsupported, "this layer has no kernel")]
)
def test_the_first_reason_is_told(made: Made, caplog: pytest.LogCaptureFixture, capture: Any, reason: str) -> None:
    with caplog.at_level(logging.INFO, "nasengine.search"):
        steps(made(again=capture), [8])
    assert [record.getMessage().partition("(")[2] for record in caplog.records] == [f"{reason})"]


@pytest.fixture
def uncollected() -> Iterator[None]:
    """What goes in here goes because nobody holds it."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_a_search_that_is_over_holds_no_recordings(made: Made, uncollected: None) -> None:
    turns = made(again=Again())
    steps(turns, [8])
    assert turns.graphs is not None
    held = [weakref.ref(turns.graphs), *map(weakref.ref, turns.graphs.halves.values())]
    assert len(held) == 3
    del turns
    assert [one() for one in held] == [None] * 3


def test_both_halves_go_before_one_is_recorded_anew(made: Made, uncollected: None) -> None:
    """A CUDA graph that goes takes with it what cuBLAS works in on its stream, which is that of both."""
    recorded: list[Any] = []
    there: list[int] = []

    def capture(learn: Any) -> Learn:
        there.append(sum(half() is not None for half in recorded))
        recorded.append(weakref.ref(learn.__self__))
        return Again()(learn)

    turns = made(again=capture)
    steps(turns, [8])
    turns.model.to(torch.float32).to(torch.float64)
    steps(turns, [8])
    assert there == [0, 1, 0, 1]


def test_too_little_memory_ends_in_steps_without_and_frees_what_was_taken(
    made: Made, uncollected: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    halves: list[Any] = []
    left: list[int] = []

    def full(learn: Any) -> Learn:
        halves.append(weakref.ref(learn.__self__))
        if len(halves) == 1:
            return Again()(learn)
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr(graphed, "make_room", lambda: left.append(sum(half() is not None for half in halves)))
    plain, recorded = made(), made(again=full)
    for turns in (plain, recorded):
        steps(turns, [8, 8, 8])
    assert left == [0]  # neither half is held when memory is given back
    assert recorded.graphs is not None and recorded.graphs.failed
    agree(plain, recorded)


class Two(Alone):
    """Several processes."""

    size = 2


class Imitating(Darts):
    """Losses of its own."""

    losses = None


class Restless(nn.Module):
    """A layer that always draws."""

    training_only = True


def test_who_gets_graphs(made: Made, small_space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphed, "Recorder", lambda device: Again())
    cuda, darts, still = torch.device("cuda"), Darts(small_space), nn.Sequential(nn.Dropout(0.0))
    droppable = made(space=plugins.load_space("darts", CELLS | {"drop_path": True})).model

    def given(
        model: nn.Module = still, by: Any = darts, device: torch.device = cuda, group: Alone = ALONE, **recipe: Any
    ) -> bool:
        return graphs_for(model, [], by, replace(RECIPE, **recipe), device, group) is not None

    assert given() and given(by=PRDarts(small_space)) and given(droppable)
    assert not given(device=CPU) and not given(group=Two())
    assert not given(by=Darts(small_space, order=2))
    assert not given(by=Imitating(small_space))
    assert not given(nn.Dropout(0.1)) and not given(Restless()) and not given(droppable, drop_path=0.1)
