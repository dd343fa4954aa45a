"""A search is repeated from its record, and what differs is said: nothing, or what was changed in between."""

import contextlib
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nasengine.console.reproducing import typed
from nasengine.engine import search
from nasengine.plan import make
from nasengine.reproduce import prepare, words_of_facts
from nasengine.runs import Run
from tests.console.typed import good, nasengine

WORDS = ["--space", "small-cell", "--strategy", "evolution", "--trials", "4", "--epochs", "1", "--limit", "120"]
WORDS += ["--recipe.epochs", "1", "--recipe.lr", "0.03", "--seed", "3", "--strategy.population", "2"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A search, run where its repetitions are: outside any repository; only to be read."""
    folder = tmp_path_factory.mktemp("reproduced")
    with contextlib.chdir(folder):
        good("search", *WORDS, "--name", "one", "--db", str(folder / "n.db"))
    return str(folder / "n.db")


@pytest.fixture
def db(made: str, tmp_path: Path) -> str:
    """A copy of it."""
    shutil.copytree(Path(made).parent, tmp_path / "own")
    return str(tmp_path / "own" / "n.db")


def change(db: str, statement: str, *values: Any) -> None:
    with sqlite3.connect(db) as connection:
        connection.execute(statement, values)
    connection.close()


def test_what_is_repeated_is_the_same_to_the_last_bit(db: str) -> None:
    done = good("reproduce", "one", "--db", db)
    assert "facts: the same" in done.err and "surroundings: the same" in done.out
    assert "proposals: 4; the same" in done.out and "5 of 5 trials" in done.out
    assert "one-again is the same to the last bit as one" in done.out
    again = Run("one-again", db)
    assert len(again.results()) == 5 and all(row["reused_from"] is None for row in again.results())
    assert again.words == {**(Run("one", db).words or {}), "reuse": False}
    assert "candidates" not in good("reproduce", "one", "--db", db).err  # it is there already


def test_what_was_changed_is_found(db: str) -> None:
    found = good("reproduce", "one", "--as", "two", "--db", db, "--json").json
    assert found["same"] and found["proposals"] == {"then": 4, "now": 4, "first_difference": None}
    change(db, "UPDATE nas_searches SET environment = json_set(environment, '$.torch', '0.1') WHERE name = 'one'")
    best = "json_set(\"values\", '$.validation_accuracy', \"values\" ->> '$.validation_accuracy' + 0.25)"
    change(db, f"UPDATE nas_trials SET \"values\" = {best} WHERE search_id = 1 AND kind = 'candidate' AND number = 1")
    other = Run("one", db).trial("0").row["architecture"]
    edge = next(name for name, kept in other.items() if kept != ["conv_1x1"])
    changed = {**other, edge: ["conv_1x1"]}
    change(db, "UPDATE nas_trials SET architecture = ? WHERE search_id = 1 AND number = 2 AND kind = 'candidate'",
           str(changed).replace("'", '"'))  # fmt: skip
    done = nasengine("reproduce", "one", "--as", "two", "--db", db, "--json")
    assert done.code == 1 and not done.json["same"]
    assert done.json["environment"].keys() == {"torch"} and done.json["environment"]["torch"]["then"] == "0.1"
    assert done.json["proposals"]["first_difference"] == 2
    assert (done.json["values"]["compared"], done.json["values"]["equal"]) == (4, 3)
    assert done.json["values"]["largest"] == {
        "validation_accuracy": {"difference": pytest.approx(0.25), "trial": "1"}
    }  # fmt: skip
    said = nasengine("reproduce", "one", "--as", "two", "--db", db)
    assert said.code == 1 and "number 2 is the first that differs" in said.out
    assert "torch 0.1 then" in said.out and "two is not the same as one" in said.out


def test_a_dry_run_begins_nothing(db: str) -> None:
    done = good("reproduce", "one", "--dry-run", "--db", db)
    assert "one-again" in done.out and "nothing was begun" in done.out and "--recipe.lr 0.03" in done.out
    assert [row["name"] for row in Run("one", db).ledger.searches()] == ["one"]
    change(db, "UPDATE nas_searches SET data_fingerprint = 'other'")
    done = nasengine("reproduce", "one", "--dry-run", "--db", db, "--json")
    assert done.code == 1 and done.json["facts"].keys() == {"data_fingerprint"}


def test_other_images_are_refused_before_anything_is_trained(tmp_path: Path) -> None:
    db, random = str(tmp_path / "n.db"), np.random.default_rng(0)
    images, labels = random.random((200, 1, 8, 8), np.float32), np.arange(200) % 10
    np.savez(tmp_path / "set.npz", x=images, y=labels)
    tiny: dict[str, Any] = {"space": "small-cell", "strategy": "random-search", "trials": 1, "epochs": 1, "db": db}
    tiny |= {"recipe_values": {"epochs": 1}}
    search(**tiny, data=tmp_path / "set.npz", name="own")
    np.savez(tmp_path / "set.npz", x=images + 1, y=labels)
    done = nasengine("reproduce", "own", "--db", db)
    assert done.code == 2 and "set.npz has changed since" in done.err and "then, " in done.err
    search(**tiny, data=(images, labels), name="arrays")
    done = nasengine("reproduce", "arrays", "--db", db)
    assert done.code == 2 and "data came from a program" in done.err
    assert len(Run("own", db).ledger.searches()) == 2


def test_a_record_without_words_is_repeated_by_its_command_or_its_facts(db: str) -> None:
    kept = Run("one", db).words or {}
    again = typed(str(Run("one", db).search["command"]))
    assert again is not None and make(**{**again, "name": None}, db=db).words == kept
    assert typed("python mine.py") is typed("nasengine train --architecture prdarts") is typed("nasengine 'x") is None
    by_words, by_facts = make(**kept), make(**words_of_facts(Run("one", db).search), limit=120)
    assert {**by_facts.facts(), "words": None} == {**by_words.facts(), "words": None}
    change(db, "UPDATE nas_searches SET words = NULL")
    done = good("reproduce", "one", "--dry-run", "--db", db)
    assert "repeats its command" in done.out and "facts: the same" in done.out
    change(db, "UPDATE nas_searches SET command = 'python mine.py'")
    done = nasengine("reproduce", "one", "--dry-run", "--db", db)
    assert "not known are limit" in done.out and "data_fingerprint" in done.out
    assert "its limit was not kept: give --limit" in nasengine("reproduce", "one", "--db", db).err
    assert "facts: the same" in good("reproduce", "one", "--limit", "120", "--dry-run", "--db", db).out


def test_a_supernet_is_repeated_too(tmp_path: Path) -> None:
    db = str(tmp_path / "n.db")
    words = ["--space", "small-cell", "--limit", "60", "--epochs", "1", "--recipe.epochs", "1"]
    good("search", *words, "--strategy", "darts", "--name", "net", "--db", db)
    done = good("reproduce", "net", "--db", db)
    assert "a supernet is trained" in done.out and "2 of 2 trials" in done.out


def test_what_cannot_be_repeated_is_said(db: str) -> None:
    done = nasengine("reproduce", "on", "--db", db)
    assert done.code == 2 and "Did you mean" in done.err
    done = nasengine("reproduce", "one", "--as", "one", "--db", db)
    assert done.code == 2 and "a name of its own" in done.err
    good("train", "--architecture", "one:best", "--space", "small-cell", "--recipe.epochs", "1", "--limit", "80",
         "--name", "kept", "--db", db)  # fmt: skip
    done = nasengine("reproduce", "kept", "--db", db)
    assert done.code == 2 and "record of trainings" in done.err
    change(db, "UPDATE nas_searches SET state = 'stopped' WHERE name = 'one'")
    assert any("is stopped, not complete" in text for text in prepare("one", db=db).notes)
