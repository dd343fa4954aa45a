"""Recordings that fail say why, and leave nothing behind; so do those of a search that is over."""

import gc
import logging
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from nasengine.search import graphed, relax
from nasengine.search.graphed import Graphs
from nasengine.search.graphed_cuda import Learn
from nasengine.search.turns import Turns
from nasengine.strategies.darts import Darts
from tests.search.recorded import Again, Made, agree, steps


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


def test_relax_gives_them_free_whoever_holds_the_search(
    searched: Callable[..., Any], uncollected: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Turns] = []
    graphs: list[Any] = []

    def recorded(*arguments: Any) -> Turns:
        kept.append(Turns(*arguments))
        kept[0].graphs = Graphs(kept[0].weights, Again())
        graphs.append(weakref.ref(kept[0].graphs))
        return kept[0]

    monkeypatch.setattr(relax, "Turns", recorded)
    searched(Darts, recipe={"epochs": 1})
    assert len(kept) == 1 and [one() for one in graphs] == [None]


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
