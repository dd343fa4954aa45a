"""A sample measured and trained: what is recorded, and that nothing is done twice."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from nasengine.bench.agreement import agreement
from nasengine.errors import TrainingError
from nasengine.evaluators import inherit, train
from nasengine.fidelity import Fidelity, known_fidelity
from nasengine.fidelity.conduct import conduct
from nasengine.fidelity.sample import Sample, prepare
from nasengine.job import Result
from nasengine.ledger import Ledger
from nasengine.listener import Listener
from tests.fidelity.conftest import SHORT


class Heard(Listener):
    """What came, and an end to it after so many results."""

    def __init__(self, end_after: int | None = None):
        self.results: list[tuple[int, str | None]] = []
        self.notes: list[str] = []
        self.end_after = end_after

    def result(self, result: Result, reused: str | None) -> None:
        self.results.append((result.number, reused))
        if len(self.results) == self.end_after:
            raise KeyboardInterrupt

    def note(self, text: str) -> None:
        self.notes.append(text)


def sampled(db: Path, **words: Any) -> Sample:
    return prepare("big", db=db, **{**SHORT, **words})


def run(db: Path, heard: Heard | None = None, **words: Any) -> Fidelity:
    return conduct(sampled(db, **words), db, heard or Heard(), "nasengine fidelity big")


def test_each_network_is_two_trials_and_the_values_are_those_of_the_evaluators(db: Path) -> None:
    found = run(db)
    sample = sampled(db)
    for pair in found.pairs:
        measured = inherit.evaluate(sample.job(pair.number, "inherited"), sample.space, sample.dataset)
        trained = train.evaluate(sample.job(pair.number, "candidate"), sample.space, sample.dataset)
        assert pair.inherited == measured.values["validation_accuracy"]
        assert pair.trained == trained.values["validation_accuracy"]
        assert (pair.digest, pair.params, pair.macs) == (trained.digest, trained.params, trained.macs)
    columns = {name: [getattr(pair, name) for pair in found.pairs] for name in ("inherited", "trained", "params")}
    assert found.agreement == agreement(columns["inherited"], columns["trained"])
    assert found.baselines["params"] == agreement(columns["params"], columns["trained"])
    with Ledger(db) as ledger:
        rows = ledger.results("big-fidelity")
        assert [(row["kind"], row["trial"], row["state"]) for row in rows] == [
            *(("inherited", number, "complete") for number in range(3)),
            *(("candidate", number, "complete") for number in range(3)),
        ]
        assert [len(ledger.epochs(row["id"])) for row in rows] == [0, 0, 0, 1, 1, 1]
        assert [row["weights"] is None for row in rows] == [True] * 3 + [False] * 3
        best = ledger.best("big-fidelity")
        assert best is not None and best["kind"] == "candidate"
        assert ledger.search("big-fidelity")["state"] == "complete" and ledger.check() == []
    with closing(sqlite3.connect(db)) as connection:
        studies = {name for (name,) in connection.execute("SELECT study_name FROM studies")}
    assert studies == {"big-fidelity", "big-fidelity (supernet)"}  # Optuna's best is of trained networks


def test_what_was_stopped_goes_on_and_ends_as_if_it_had_not(db: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(db, Heard(end_after=1))
    with Ledger(db) as ledger:
        assert ledger.search("big-fidelity")["state"] == "stopped"
        assert known_fidelity(ledger, "big") is None
    heard = Heard()
    found = run(db, heard)
    assert [number for number, _ in heard.results] == [1, 2]
    assert heard.notes[:2] == [
        "0 of 3 networks are measured with the weights of big",
        "2 of 3 networks are trained for 1 epochs",
    ]
    again = Heard()
    assert run(db, again).pairs == found.pairs and again.results == []
    four = run(db, Heard(), samples=4)
    assert four.pairs[:3] == found.pairs and len(four.pairs) == 4
    with Ledger(db) as ledger:
        assert known_fidelity(ledger, "big") == four.agreement[:3] + (4,)


def test_an_equal_training_of_another_search_answers(db: Path) -> None:
    found = run(db)
    heard = Heard()
    assert run(db, heard, record_as="twice", batches=1).pairs != ()
    assert heard.results == [(n, f"big-fidelity, trial {n}") for n in range(3)]
    with Ledger(db) as ledger:
        rows = ledger.results("twice")
    assert [row["values"]["validation_accuracy"] for row in rows if row["kind"] == "candidate"] == [
        pair.trained for pair in found.pairs
    ]


def test_where_nothing_could_be_trained_the_first_error_is_said_and_all_may_be_tried_again(
    db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(train, "fit", lambda *args, **more: 1 / 0)
        with pytest.raises(TrainingError, match="fidelity big-fidelity: ZeroDivisionError"):
            run(db)
    assert run(db).agreement.samples == 3
