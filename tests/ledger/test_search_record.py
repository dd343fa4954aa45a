"""What a driver writes: proposals first, results once, epochs as they come; undone by nothing but a newer driver."""

import math
import time
from typing import Any

import pytest
from sqlalchemy import text, update

from nasengine.errors import LedgerError
from nasengine.job import Result
from nasengine.ledger import Ledger, SearchRecord, Trial
from nasengine.ledger.tables import leases

CONV = {"op": ["conv"], "inputs": ["in0", "in1"]}


def result(number: int, accuracy: float = 0.5, **changes: Any) -> Result:
    facts: dict[str, Any] = {"digest": f"nas1:{number}", "values": {"validation_accuracy": accuracy}, "params": 10}
    return Result(number, CONV, **{**facts, "macs": 10**12, "seconds": 1.5, **changes})


def test_a_proposal_is_open_until_its_result(ledger: Ledger, search: SearchRecord) -> None:
    search.propose(0, CONV)
    search.propose(1, CONV)
    assert list(ledger.replay("one").open) == [(0, CONV), (1, CONV)]
    search.start(Trial(0, architecture=CONV))
    assert len(ledger.replay("one").open) == 2
    search.record(result(0), 0)
    assert list(ledger.replay("one").open) == [(1, CONV)]
    with pytest.raises(LedgerError, match="one: proposal 0 is already recorded; replay it"):
        search.propose(0, CONV)


def test_start_and_record_meet_in_one_row(ledger: Ledger, search: SearchRecord) -> None:
    begun = search.start(Trial(0, architecture=CONV, seed=7, recipe={"lr": 1.0}, lineage={"parents": [4]}))
    assert search.record(result(0), 0) == begun
    (row,) = ledger.results("one")
    assert (row["state"], row["seed"], row["macs"], row["architecture"]) == ("complete", 7, 10**12, CONV)
    with ledger.database.reading() as connection:
        stored = connection.execute(text("SELECT lineage, recipe, started, finished FROM nas_trials")).one()
    assert all(part is not None for part in stored)


def test_a_trial_is_two_transactions_and_each_statement_is_compiled_once(
    ledger: Ledger, search: SearchRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits, compiled = [], []
    dialect = ledger.database.engine.dialect
    commit, compiler = dialect.do_commit, dialect.statement_compiler
    monkeypatch.setattr(dialect, "do_commit", lambda connection: (commits.append(connection), commit(connection)))

    def compiling(*given: Any, **named: Any) -> Any:
        compiled.append(given[1])
        return compiler(*given, **named)

    search.start(Trial(0, architecture=CONV), proposed=True)
    search.record(result(0), 0)
    assert list(ledger.replay("one").told) == [result(0)]
    commits.clear()
    monkeypatch.setattr(dialect, "statement_compiler", compiling)
    search.start(Trial(1, architecture=CONV), proposed=True)
    search.record(result(1), 1)
    assert len(commits) == 2
    assert compiled == []
    with pytest.raises(LedgerError, match="one: proposal 1 is already recorded; replay it"):
        search.start(Trial(1, architecture=CONV), proposed=True)


def test_a_result_is_written_once(ledger: Ledger, search: SearchRecord) -> None:
    search.record(result(0, 0.5), 0)
    with pytest.raises(LedgerError, match="one: candidate 0 already has a result"):
        search.record(result(0, 0.9), 1)
    with pytest.raises(LedgerError, match="already has a result"):
        search.start(Trial(0))
    assert ledger.results("one")[0]["values"] == {"validation_accuracy": 0.5}


def test_two_results_cannot_have_one_place_in_the_order(ledger: Ledger, search: SearchRecord) -> None:
    search.record(result(0), 0)
    with pytest.raises(LedgerError, match="results database"):
        search.record(result(1), 0)
    assert [row["trial"] for row in ledger.results("one")] == [0]


def test_told_later(ledger: Ledger, search: SearchRecord) -> None:
    for number in (2, 0, 1):
        search.record(result(number))
    assert [r.number for r in ledger.replay("one").waiting] == [0, 1, 2]
    search.tell(1, 0)
    search.tell(0, 1)
    replay = ledger.replay("one")
    assert ([r.number for r in replay.told], [r.number for r in replay.waiting]) == ([1, 0], [2])


def test_a_value_that_is_not_finite_makes_a_failed_trial(ledger: Ledger, search: SearchRecord) -> None:
    search.record(result(0, math.nan), 0)
    (row,) = ledger.results("one")
    assert (row["state"], row["values"], row["best"]) == ("failed", {"validation_accuracy": None}, False)
    assert "values.validation_accuracy: nan" in row["error"]
    (told,) = ledger.replay("one").told
    assert math.isnan(told.values["validation_accuracy"]) and told.error == row["error"]


def test_fail_keeps_the_architecture(ledger: Ledger, search: SearchRecord) -> None:
    search.propose(0, CONV)
    search.fail(0, "the worker died", 0)
    search.start(Trial(1, architecture={"op": ["skip"]}))
    search.fail(1, "out of memory", 1)
    rows = ledger.results("one")
    assert [(row["state"], row["error"]) for row in rows] == [
        ("failed", "the worker died"),
        ("failed", "out of memory"),
    ]
    assert [row["architecture"] for row in rows] == [CONV, {"op": ["skip"]}]
    assert ledger.replay("one").open == []


def test_a_failed_trial_may_be_started_again(ledger: Ledger, search: SearchRecord) -> None:
    begun = search.start(Trial(0, kind="final"))
    search.fail(0, "out of memory", kind="final")
    assert search.start(Trial(0, kind="final")) == begun
    search.record(result(0), kind="final")
    (row,) = ledger.results("one")
    assert (row["state"], row["error"], row["best"]) == ("complete", None, True)


def test_epochs_and_gates_come_singly_or_with_the_result(ledger: Ledger, search: SearchRecord) -> None:
    one = search.start(Trial(0, kind="supernet"))
    for epoch in (0, 1, 1):  # an epoch that is done again replaces the first
        search.epoch(one, {"epoch": epoch, "train_loss": math.inf, "lr": 0.1 * epoch}, {"op": {"conv": 0.25 + epoch}})
    assert ledger.epochs(one) == [
        {"epoch": 0, "train_loss": None, "lr": 0.0},
        {"epoch": 1, "train_loss": None, "lr": 0.1},
    ]
    assert ledger.gates(one) == [
        {"epoch": 0, "decision": "op", "option": "conv", "value": 0.25},
        {"epoch": 1, "decision": "op", "option": "conv", "value": 1.25},
    ]
    two = search.record(result(0, epochs=[{"train_loss": 2.0}, {"epoch": 5, "train_loss": 1.0}]), 0)
    assert [(row["epoch"], row["train_loss"]) for row in ledger.epochs(two)] == [(0, 2.0), (5, 1.0)]


def test_artifacts(ledger: Ledger, search: SearchRecord) -> None:
    trial = search.start(Trial(0, kind="final"))
    search.artifact(trial, "weights", "a.safetensors")
    search.artifact(trial, "weights", "b.safetensors")
    assert ledger.artifacts(trial) == {"weights": "b.safetensors"}


def test_a_driver_that_was_taken_over_writes_nothing_more(
    url: str, ledger: Ledger, search: SearchRecord, facts: dict[str, Any]
) -> None:
    search.propose(0, CONV)
    trial = search.start(Trial(0, architecture=CONV))
    with ledger.database.writing() as connection:
        connection.execute(update(leases).values(heartbeat=time.time() - 10_000))
    (row,) = ledger.results("one")
    assert row["state"] == "stopped"  # shown as what it is before anyone resumes it
    assert ledger.search("one")["state"] == "stopped"
    other = Ledger(url)
    successor = other.open_search("one", **facts)
    for write in (
        lambda: search.record(result(0), 0),
        lambda: search.propose(1, CONV),
        lambda: search.epoch(trial, {"epoch": 0}),
        lambda: search.artifact(trial, "x", "y"),
        lambda: search.tell(0, 0),
        search.finish,
    ):
        with pytest.raises(LedgerError, match="another process has taken over"):
            write()
    assert list(other.replay("one").open) == [(0, CONV)]
    assert successor.start(Trial(0, architecture=CONV)) == trial
    successor.record(result(0), 0)
    successor.finish()
    assert [row["state"] for row in other.results("one")] == ["complete"]
    other.close()


def test_remarks_are_kept_in_order(ledger: Ledger, search: SearchRecord) -> None:
    search.remark(0, "prompt", "which one?", {"tokens": 7})
    search.remark(0, "reply", "this one", {"tokens": math.nan})
    assert ledger.remarks("one") == [
        {"number": 0, "kind": "prompt", "text": "which one?", "values": {"tokens": 7}},
        {"number": 0, "kind": "reply", "text": "this one", "values": {"tokens": None}},
    ]


def test_best_is_by_the_value_told(ledger: Ledger, search: SearchRecord) -> None:
    search.record(result(0, 0.9), 0, value=-5.0)
    search.record(result(1, 0.1), 1, value=-3.0)
    best = ledger.best("one")
    assert best is not None
    assert (best["trial"], best["value"]) == (1, -3.0)


def test_a_search_that_could_not_begin_is_forgotten_and_one_that_had_begun_is_not(
    ledger: Ledger, facts: dict[str, Any]
) -> None:
    ledger.open_search("one", **facts).discard()
    assert ledger.searches() == []
    with ledger.open_search("one", **facts) as record:
        record.propose(0, {"op": ["skip"]})
    ledger.open_search("one", **facts).discard()
    assert [(search["name"], search["state"]) for search in ledger.searches()] == [("one", "stopped")]
    ledger.open_search("one", **facts).stop()
