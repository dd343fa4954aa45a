"""Optuna reads from the ledger's database what the ledger holds: parameters, curves, values, states, each once."""

import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState
from sqlalchemy import update

from nasengine.errors import LedgerError
from nasengine.job import Result
from nasengine.ledger import Ledger, SearchRecord, Trial
from nasengine.ledger.live_view import catch_up
from nasengine.ledger.optuna_view import Mirror
from nasengine.ledger.search_record import now
from nasengine.ledger.tables import trials

CONV = {"op": ["conv"], "inputs": ["in0", "node0"]}
CURVE = [{"epoch": e, "validation_accuracy": 0.25 * e, "train_loss": 1.0} for e in range(3)]


def put(search: SearchRecord, number: int, accuracy: float, kind: str = "candidate", **changes: Any) -> int:
    facts = {"digest": f"nas1:{number}", "params": 7, "macs": 9, "seconds": 60.0, "epochs": CURVE, **changes}
    result = Result(number, CONV, values={"validation_accuracy": accuracy}, **facts)
    return search.record(result, number if kind == "candidate" else None, kind=kind)


Load = Callable[..., optuna.Study]


def test_a_trained_candidate(ledger: Ledger, search: SearchRecord, study: Load) -> None:
    row = put(search, 0, 0.5)
    assert catch_up(ledger, "one") == 1
    found = study()
    (trial,) = found.trials
    assert found.direction == optuna.study.StudyDirection.MAXIMIZE
    assert found.metric_names == ["validation_accuracy"]
    assert found.user_attrs["strategy"] == "random-search"
    assert (trial.state, trial.value) == (TrialState.COMPLETE, 0.5)
    assert trial.params == {"op": "conv", "inputs": "in0+node0"}
    assert trial.distributions["inputs"].choices == ("in0+in1", "in0+node0", "in1+node0")  # type: ignore[attr-defined]
    assert trial.intermediate_values == {0: 0.0, 1: 0.25, 2: 0.5}
    assert trial.user_attrs == {
        **{"kind": "candidate", "digest": "nas1:0", "params": 7, "macs": 9, "seconds": 60.0},
        **{"strategy": "random-search", "seed": 3, "ledger_id": row, "trial": 0},
        **{"validation_accuracy": 0.5, "value_is": "validation_accuracy"},
    }
    assert trial.duration is not None and abs(trial.duration - timedelta(minutes=1)) < timedelta(seconds=2)


def test_failed_valueless_and_final_trials(ledger: Ledger, search: SearchRecord, study: Load) -> None:
    put(search, 0, 0.5)
    search.fail(1, "diverged", 1)
    search.record(Result(2, CONV, values={"train_accuracy": 1.0}), 2)
    put(search, 0, 0.75, kind="final")
    assert catch_up(ledger, "one") == 4
    found = study()
    states = [TrialState.COMPLETE, TrialState.FAIL, TrialState.PRUNED, TrialState.COMPLETE]
    assert [trial.state for trial in found.trials] == states
    assert found.trials[1].user_attrs["error"] == "diverged"
    assert found.best_trial.user_attrs["kind"] == "final"


def test_a_supernet_is_never_the_best(ledger: Ledger, search: SearchRecord, study: Load) -> None:
    put(search, 0, 0.99, kind="supernet")
    put(search, 0, 0.5)
    assert catch_up(ledger, "one") == 2
    assert [trial.user_attrs["kind"] for trial in study().trials] == ["candidate"]
    (supernet,) = study("one (supernet)").trials
    assert supernet.user_attrs["kind"] == "supernet"
    assert supernet.intermediate_values == {0: 0.0, 1: 0.25, 2: 0.5}


def test_nothing_is_written_twice(ledger: Ledger, search: SearchRecord, study: Load) -> None:
    put(search, 0, 0.5)
    put(search, 0, 0.9, kind="supernet")
    assert [catch_up(ledger, "one") for _ in range(3)] == [2, 0, 0]
    put(search, 1, 0.6)
    assert catch_up(ledger, "one") == 1
    assert [trial.user_attrs["trial"] for trial in study().trials] == [0, 1]


def test_a_kill_between_optuna_and_us_does_not_write_twice(
    ledger: Ledger, search: SearchRecord, monkeypatch: pytest.MonkeyPatch, study: Load
) -> None:
    for number in range(3):
        put(search, number, 0.5)
    real, calls = optuna.storages.RDBStorage.create_new_trial, []

    def killed_after(*args: Any, **named: Any) -> int:
        calls.append(real(*args, **named))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return calls[-1]

    with monkeypatch.context() as patch:
        patch.setattr(optuna.storages.RDBStorage, "create_new_trial", killed_after)
        with pytest.raises(KeyboardInterrupt):
            catch_up(ledger, "one")
    assert catch_up(ledger, "one") == 2  # the second one's note was missing
    assert sorted(trial.user_attrs["trial"] for trial in study().trials) == [0, 1, 2]


def test_a_long_trial_is_shown_while_it_runs(ledger: Ledger, search: SearchRecord, study: Load) -> None:
    """A supernet's architecture is known only when it ends; the trial that was running becomes the complete one."""
    trial = search.start(Trial(0, kind="supernet"))
    mirror = Mirror(ledger, "one")
    search.epoch(trial, CURVE[0])
    assert mirror.synchronise() == 0
    assert study("one (supernet)").trials == []  # it has not run for long
    with ledger.database.writing() as connection:
        connection.execute(update(trials).values(started=now() - timedelta(minutes=5)))
    assert mirror.synchronise() == 0
    search.epoch(trial, CURVE[1])
    assert mirror.synchronise() == 0
    (running,) = study("one (supernet)").trials
    assert (running.state, running.intermediate_values) == (TrialState.RUNNING, {0: 0.0, 1: 0.25})
    mirror.close()  # killed here: the next view finds the running trial again
    put(search, 0, 0.8, kind="supernet")
    assert catch_up(ledger, "one") == 1
    (ended,) = study("one (supernet)").trials
    assert (ended.number, ended.state, ended.value) == (running.number, TrialState.COMPLETE, 0.8)
    assert ended.params == {"op": "conv", "inputs": "in0+node0"}
    assert ended.user_attrs["digest"] == "nas1:0" and ended.intermediate_values[2] == 0.5
    assert catch_up(ledger, "one") == 0


def test_a_trial_that_is_late_is_not_forgotten(ledger: Ledger, search: SearchRecord, study: Load) -> None:
    search.start(Trial(0, architecture=CONV))
    mirror = Mirror(ledger, "one")
    put(search, 1, 0.5)
    assert mirror.synchronise() == 1
    put(search, 0, 0.25)
    put(search, 2, 0.75)
    assert mirror.synchronise() == 2
    assert mirror.synchronise() == 0
    mirror.close()
    assert [trial.value for trial in study().trials] == [0.5, 0.25, 0.75]


def test_decisions_that_optuna_cannot_hold_are_left_out(ledger: Ledger, study: Load) -> None:
    options = [f"in{i}" for i in range(20)]
    decisions = {"many": {"options": options, "keep": [0, 20]}, "none": {"options": ["a", "b"], "keep": [0, 2]}}
    with ledger.open_search("one", space="s", strategy="t", decisions=decisions) as search:
        architecture = {"many": ["in0"], "none": [], "unknown": ["x"]}
        search.record(Result(0, architecture, values={"validation_accuracy": 0.5}), 0)
    assert catch_up(ledger, "one") == 1
    (trial,) = study().trials
    assert trial.params == {"none": "nothing"}
    assert trial.distributions["none"].choices == ("nothing", "a", "b", "a+b")  # type: ignore[attr-defined]


def test_somebody_elses_study_is_left_alone(
    ledger: Ledger, search: SearchRecord, storage: optuna.storages.RDBStorage
) -> None:
    theirs = optuna.create_study(study_name="one", storage=storage, sampler=optuna.samplers.RandomSampler())
    theirs.add_trial(optuna.trial.create_trial(value=1.0))
    put(search, 0, 0.5)
    with pytest.raises(LedgerError, match="study one is there and not nasengine's"):
        catch_up(ledger, "one")
    assert len(theirs.trials) == 1


def test_a_study_whose_making_was_cut_short_is_taken(
    ledger: Ledger, search: SearchRecord, storage: optuna.storages.RDBStorage, study: Load
) -> None:
    storage.create_new_study([optuna.study.StudyDirection.MAXIMIZE], study_name="one")
    put(search, 0, 0.5)
    assert catch_up(ledger, "one") == 1
    assert study().metric_names == ["validation_accuracy"]


def test_optuna_does_not_speak(ledger: Ledger, search: SearchRecord, capfd: pytest.CaptureFixture[str]) -> None:
    level = optuna.logging.get_verbosity()
    put(search, 0, 0.5)
    optuna.logging.set_verbosity(logging.INFO)
    try:
        catch_up(ledger, "one")
        assert optuna.logging.get_verbosity() == logging.INFO
    finally:
        optuna.logging.set_verbosity(level)
    assert capfd.readouterr() == ("", "")


def test_unknown_search_and_memory(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "x.db")
    with pytest.raises(LedgerError, match="search: nothing; recorded are none yet"):
        catch_up(ledger, "nothing")
    ledger.close()
    with pytest.raises(LedgerError, match="in memory"):
        catch_up(Ledger("sqlite://"), "one")


def test_a_trial_that_was_ended_early_is_pruned_with_its_curve_and_its_cost(
    ledger: Ledger, search: SearchRecord, study: Callable[..., optuna.Study]
) -> None:
    curve = [{"epoch": epoch, "validation_accuracy": epoch / 10} for epoch in range(3)]
    values, cost = {"validation_accuracy": 0.2}, {"core_seconds": 4.0, "joules": 9.0}
    search.record(Result(0, CONV, values=values, epochs=curve, stopped=2, cost=cost), value=0.2)
    assert catch_up(ledger, "one") == 1
    (trial,) = study().trials
    assert trial.state == TrialState.PRUNED and trial.value is None
    assert trial.intermediate_values == {0: 0.0, 1: 0.1, 2: 0.2}
    assert {name: trial.user_attrs[name] for name in ("stopped", "core_seconds", "joules")} == {"stopped": 2, **cost}
