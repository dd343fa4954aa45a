"""One architecture trained from the command line, under one or several seeds."""

import sqlite3
from pathlib import Path

import pytest

from tests.console.typed import good, nasengine


@pytest.fixture
def own(db: str, tmp_path: Path) -> str:
    """A copy of the database, to be written."""
    with sqlite3.connect(db) as connection:
        connection.execute("VACUUM INTO ?", [str(tmp_path / "own.db")])
    connection.close()
    return str(tmp_path / "own.db")


def test_train_takes_an_architecture_under_several_seeds(own: str) -> None:
    command = ["train", "--architecture", "one:best", "--recipe.epochs", "1", "--limit", "120", "--name", "again"]
    command += ["--db", own]
    first = good(*command)
    assert "test accuracy" in first.out and "±" not in first.out
    both = good(*command, "--seeds", "2")  # the first is there already
    assert "± 0." in both.out and "Next:" in both.out
    rows = good("results", "--name", "again", "--db", own, "--json").json
    assert [(row["kind"], row["trial"], row["seed"], row["state"]) for row in rows] == [
        ("final", 0, 0, "complete"),
        ("final", 1, 1, "complete"),
    ]
    assert len({row["digest"] for row in rows}) == 1 and len({row["weights"] for row in rows}) == 2
    accuracies = [row["values"]["test_accuracy"] for row in rows]
    assert f"{sum(accuracies) / 2:.4f}" in both.out and all(f"{one:.4f}" in both.out for one in accuracies)
    good("export", "final-0", "--name", "again", "--to", "out", "--db", own)
    refused = nasengine(*command, "--recipe.lr", "0.5")
    assert refused.code == 2 and "recipe.final.lr" in refused.err


def test_a_published_architecture_brings_its_settings_and_flags_override(own: str) -> None:
    words = ["--architecture", "darts_v2", "--space.channels", "4", "--space.layers", "3", "--recipe.epochs", "1"]
    good("train", *words, "--limit", "60", "--name", "v2", "--db", own)
    found = good("show", "final", "--name", "v2", "--db", own, "--json").json
    settings = found["settings"]
    assert (settings["channels"], settings["layers"]) == (4, 3)  # flags
    assert (settings["input"], settings["classes"]) == ([1, 8, 8], 10)  # the data
    assert settings["auxiliary"] is True  # Liu et al., 2019, retrain with an auxiliary head
