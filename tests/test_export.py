"""A trial's network leaves with all that is known of it, and says how to get weights that are not there."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from nasengine.errors import ExportError
from nasengine.export import export_trial
from nasengine.interpreters import picture
from nasengine.interpreters.digest import digest
from nasengine.interpreters.model import Model
from nasengine.interpreters.weights import save_weights
from nasengine.job import Result
from nasengine.ledger import Ledger
from nasengine.ledger import Trial as TrialStart
from nasengine.plugins import load_space
from nasengine.runs import Run
from nasengine.training import data

SETTINGS: dict[str, Any] = {"channels": 4, "cells": 1, "input": (1, 8, 8)}


@pytest.fixture(autouse=True)
def no_dot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawings take time."""
    monkeypatch.setattr(picture, "has_dot", lambda: False)


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """Three final networks of one architecture under seeds 1 to 3, of which the last two have no weights any more."""
    space = load_space("nasbench201", SETTINGS)
    architecture = space.sample(random.Random(2))
    weights = save_weights(Model(space, architecture), tmp_path / "final.safetensors")
    ledger = Ledger(tmp_path / "n.db")
    facts = {"data": "digits", "data_fingerprint": data.load("digits", limit=120).fingerprint, "settings": SETTINGS}
    told = {"command": "nasengine train --limit 120", "evaluator": "train"}
    with ledger.open_search("one", space="nasbench201", strategy="train", **facts, **told) as record:
        picks = architecture.to_json()
        record.propose(0, picks)
        record.record(Result(0, picks, values={"validation_accuracy": 0.5}))
        for number, place in ((1, str(weights)), (2, str(tmp_path / "gone.safetensors")), (3, None)):
            lineage = {"settings": {**SETTINGS, "input": [1, 8, 8]}}
            record.start(
                TrialStart(number, "final", architecture=picks, seed=number, recipe={"lr": 1}, lineage=lineage)
            )
            values = {"test_accuracy": 0.5 + number / 10, "train_accuracy": 0.1}
            result = Result(
                number, picks, digest=digest(space, architecture), values=values, params=1, macs=1, weights=place
            )
            record.record(result, kind="final")
        record.finish()
    ledger.close()
    return tmp_path / "n.db"


def test_a_card_knows_other_seeds_and_how_images_are_treated(db: Path, tmp_path: Path) -> None:
    heard: list[str] = []
    made = export_trial(Run("one", db).trial("final-1"), tmp_path / "out", note=heard.append)
    held = json.loads((tmp_path / "out" / "architecture.json").read_text())
    assert held["over_seeds"] == {
        "test_accuracy": {"mean": pytest.approx(0.7), "deviation": pytest.approx(0.1), "seeds": 3}
    }
    images = data.load("digits", limit=120)
    assert held["preprocessing"]["mean"] == pytest.approx(images.mean) and held["class_names"] == list("0123456789")
    assert held["held_out"]["value"] == "test_accuracy" and held["held_out"]["network"] == made.checks[0].after
    card = (tmp_path / "out" / "README.md").read_text()
    assert "| test accuracy over seeds | 0.7000 ± 0.1000, 3 trainings of this network |" in card
    assert f"mean = torch.tensor([{float(f'{images.mean[0]:.7g}')}])" in card
    assert len(heard) == 2 and heard[0].startswith("source: ")


def test_another_size_is_measured_on_images_brought_to_it(db: Path, tmp_path: Path) -> None:
    export_trial(Run("one", db).trial("final-1"), tmp_path / "out", image=12, batch=4)
    held = json.loads((tmp_path / "out" / "architecture.json").read_text())
    assert held["input"] == [1, 12, 12] and held["batch"] == 4 and held["held_out"]["resized_to"] == 12
    assert list(held["formats"]["source"]["differences"]) == ["4"]
    assert held["trained_at"]["input"] == [1, 8, 8] and 0 <= held["trained_at"]["test_accuracy"] <= 1
    card = (tmp_path / "out" / "README.md").read_text()
    assert "resized to 12 pixels a side" in card and "At 8 by 8 pixels, for which it was trained, it has" in card


@pytest.mark.parametrize(
    ("which", "why"), [("final-2", "no longer at"), ("final-3", "has no weights"), ("0", "has no")]
)
def test_without_weights_the_command_that_makes_them_is_told(db: Path, tmp_path: Path, which: str, why: str) -> None:
    with pytest.raises(ExportError, match=why) as told:
        export_trial(Run("one", db).trial(which), tmp_path / "out")
    command = str(told.value).splitlines()[1].strip()
    assert command.startswith("nasengine train --space nasbench201 --architecture one:")
    assert f"--data digits --db {db}" in command and not (tmp_path / "out").exists()


def test_data_that_is_gone_or_another_is_told_and_the_network_leaves_all_the_same(db: Path, tmp_path: Path) -> None:
    trial, heard = Run("one", db).trial("final-1"), list[str]()
    trial.search["data"] = str(tmp_path / "nowhere.npz")
    made = export_trial(trial, tmp_path / "out", note=heard.append)
    assert "accuracy is not compared" in heard[0] and "nowhere.npz" in heard[0] and "--data" in heard[0]
    assert made.checks[0].after is None and "preprocessing" not in made.facts
    trial.search.update(data="digits", data_fingerprint="another")
    export_trial(trial, tmp_path / "out", note=heard.append)
    assert "data digits is not what it was at the training" in heard[3]
    made = export_trial(trial, tmp_path / "out", data="digits", note=heard.append)
    assert made.checks[0].after is not None and any("fingerprint is another one" in one for one in heard)


def test_figures_that_cannot_be_are_refused(db: Path, tmp_path: Path) -> None:
    trial = Run("one", db).trial("final-1")
    for word in ("batch", "image"):
        with pytest.raises(ExportError, match=f"export: {word} came as 0; give a whole number of at least 1"):
            export_trial(trial, tmp_path / "out", **{word: 0})
