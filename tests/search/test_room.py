"""Memory before a supernet is built: the batch is lowered until a step fits, and refused where none does."""

import pytest
import torch

from nasengine import plugins
from nasengine.errors import TrainingError
from nasengine.search import room
from nasengine.training.recipe import recipe

SPACE = plugins.load_space("darts", {"input": (1, 8, 8), "channels": 2, "layers": 1})
RECIPE = recipe("supernet", batch=64)


def fitted(monkeypatch: pytest.MonkeyPatch, free: int | None) -> tuple[int, list[str]]:
    notes: list[str] = []
    relaxation = plugins.load_strategy("darts", SPACE)
    monkeypatch.setattr(room, "free_bytes", lambda device: free)
    return room.batch_that_fits(relaxation, RECIPE, torch.device("cpu"), notes.append)(SPACE, 64), notes


def need(batch: int) -> int:
    return room.step_memory(SPACE, plugins.load_strategy("darts", SPACE), RECIPE, batch).total


def test_a_batch_that_fits_stays_and_its_memory_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    batch, notes = fitted(monkeypatch, free=2 * need(64))
    assert batch == 64
    assert [room.mebibytes(need(64)) in note for note in notes] == [True]


def test_a_batch_that_does_not_fit_is_halved_until_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    batch, notes = fitted(monkeypatch, free=int(need(16) / room.SHARE) + 1)
    assert batch == 16
    assert "batch 64 does not fit" in notes[0] and "going on with 16" in notes[0]


@pytest.mark.parametrize(("acceleration", "more"), [("win", 2), ("win2", 3)])
def test_what_win_keeps_beside_the_weights_counts(acceleration: str, more: int) -> None:
    relaxation = plugins.load_strategy("darts", SPACE)
    plain, ahead = (
        room.step_memory(SPACE, relaxation, recipe("supernet", acceleration=one), 64) for one in ("none", acceleration)
    )
    assert ahead.optimizer - plain.optimizer == more * plain.gradients


def test_no_batch_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TrainingError, match=r"batch 64 came.*smaller space settings"):
        fitted(monkeypatch, free=1)


def test_a_system_that_says_nothing_is_not_in_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fitted(monkeypatch, free=None) == (64, [])


def test_this_system_says_how_much_is_free() -> None:
    free = room.free_bytes(torch.device("cpu"))
    assert free is None or 2**20 < free < 2**50
