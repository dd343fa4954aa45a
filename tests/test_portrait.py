"""The picture of a trial, as the database knows it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nasengine.plugins import load_space
from nasengine.portrait import portrait

SETTINGS = {"input": [1, 8, 8], "classes": 10}
SEARCH: dict[str, Any] = {"space": "small-cell", "settings": SETTINGS}


def row(**lineage: Any) -> dict[str, Any]:
    space = load_space("small-cell", SETTINGS)
    picks = {name: list(decision.options[: decision.keep[0]]) for name, decision in space.decisions.items()}
    return {"architecture": picks, "lineage": lineage or None}


def test_a_picture_at_the_size_it_was_trained_at_on_paper_of_its_own(needs: Callable[[str], Path]) -> None:
    needs("dot")
    text = portrait(SEARCH, row())
    assert text is not None and text.startswith('<svg style="background:') and text.rstrip().endswith("</svg>")
    assert text != portrait(SEARCH, row(settings={**SETTINGS, "classes": 7}))


def test_without_dot_there_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert portrait(SEARCH, row()) is None
