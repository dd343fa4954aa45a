"""What a search was asked is kept with it, and asks for the same search again."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nasengine.commands import search_command
from nasengine.console.words import GROUPS, split
from nasengine.engine import search
from nasengine.fidelity import sample
from nasengine.ledger import Ledger
from nasengine.plan import make
from nasengine.runs import Run

TINY: dict[str, Any] = {
    "space": "small-cell", "strategy": "random-search", "trials": 1, "epochs": 1, "limit": 80,
    "recipe_values": {"epochs": 1},
}  # fmt: skip


def asked(*args: Any, **words: Any) -> dict[str, Any]:
    kept = make(*args, **words).words
    assert kept is not None and json.loads(json.dumps(kept)) == kept
    return dict(kept)


def test_only_what_differs_from_the_usual_is_kept() -> None:
    assert asked() == {}
    assert asked("small-cell", "evolution", name="x", db="y.db", seed=0, trials=None, workers=1, space_settings={}) == {
        "space": "small-cell", "strategy": "evolution",
    }  # fmt: skip
    words = asked(**TINY, objective=("accuracy", "params<9M"), reuse=False, executor="local", workers=2, retries=0)
    assert words == {
        **TINY, "objective": ["accuracy", "params<9M"], "reuse": False, "executor": "local", "workers": 2, "retries": 0,
    }  # fmt: skip


def test_the_words_make_the_same_plan_again() -> None:
    plan = make(**TINY, strategy_options={}, fidelity={"share": "0.5"}, stopper="median", seed=3)
    assert plan.words is not None
    again = make(**plan.words)
    assert again.facts() | {"decisions": None} == plan.facts() | {"decisions": None}


def test_the_command_made_of_words_is_read_as_the_same_words() -> None:
    words = asked(**TINY, fidelity={"share": "0.5"}, reuse=False)
    row = {"name": "x", "words": words, "command": None}
    plain, groups = split(search_command(row).split()[2:])
    assert {GROUPS[group]: values for group, values in groups.items()} == {
        "recipe_values": {"epochs": "1"}, "fidelity": {"share": "0.5"},
    }  # fmt: skip
    assert {"--no-reuse", "--limit", "80", "--space", "small-cell"} <= set(plain)


def test_paths_are_text_and_objects_are_not_kept(tmp_path: Path) -> None:
    images, labels = np.random.default_rng(0).random((200, 1, 8, 8), np.float32), np.arange(200) % 10
    assert asked(data=(images, labels)) == {"data": None}
    np.savez(tmp_path / "set.npz", x=images, y=labels)
    assert asked(data=tmp_path / "set.npz") == {"data": str(tmp_path / "set.npz")}


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A search without training, and a supernet."""
    path = tmp_path_factory.mktemp("words") / "n.db"
    search(**TINY, name="one", db=path)
    small = {**TINY, "strategy": "one-shot", "name": "net"}
    del small["trials"]
    search(**small, db=path)
    return path


def test_the_database_keeps_them_and_what_a_later_run_was_asked_counts(db: Path) -> None:
    assert Run("one", db).words == TINY
    search(**{**TINY, "trials": 2}, name="one", db=db)
    assert Run("one", db).words == {**TINY, "trials": 2}


def test_a_supernet_tells_the_limit_of_its_images(db: Path) -> None:
    plan = make(strategy="random-search", supernet="net", db=db)
    assert plan.limit == 80 and plan.words is not None and plan.words["limit"] == 80
    with Ledger(db) as ledger:
        assert plan.data.fingerprint == ledger.search("net")["data_fingerprint"]
    assert sample.prepare("net", db=db, samples=3).limit == 80
