"""Failed candidates are put back, and what remains is a history as if they had not ended yet."""

import pytest

from nasengine.errors import LedgerError
from nasengine.job import Result
from nasengine.ledger import Ledger, SearchRecord, Trial

CONV = {"op": ["conv"]}


def fill(search: SearchRecord) -> None:
    """Told in this order: 0 failed, 2, 1 pruned, 3 failed, 4; 5 is open."""
    for number in range(6):
        search.propose(number, CONV)
        search.start(Trial(number, architecture=CONV, lineage={"settings": {"channels": 4}}, reuse_key=f"k{number}"))
    for order, (number, error) in enumerate([(0, "no luck"), (2, None), (1, None), (3, "out of memory"), (4, None)]):
        cost = {"attempts": 2.0, "core_seconds": 3.0, "micro_batch": 8.0}
        stopped = 1 if number == 1 else None
        values = {} if error else {"validation_accuracy": 0.9 if stopped else 0.5}
        ended = Result(number, CONV, values=values, error=error, seconds=2.0, cost=cost, stopped=stopped)
        search.record(ended, value=None if error else values["validation_accuracy"])
        search.tell(number, order)


def test_failed_candidates_are_open_again(ledger: Ledger, search: SearchRecord) -> None:
    fill(search)
    search.finish()
    assert ledger.reopen("one") == [0, 3]
    assert ledger.check() == []
    replay = ledger.replay("one")
    assert [result.number for result in replay.told] == [2, 1, 4]
    assert [number for number, _ in replay.open] == [0, 3, 5]
    row = ledger.results("one")[0]
    assert (row["state"], row["error"], row["values"], row["seconds"]) == ("stopped", None, {}, None)
    before = {"error": "no luck", "seconds": 2.0, "state": "failed"}
    assert row["lineage"] == {
        "settings": {"channels": 4},
        "failed_before": [{**before, "cost": {"attempts": 2, "core_seconds": 3, "micro_batch": 8}}],
    }
    assert ledger.search("one")["state"] == "stopped"
    assert ledger.reopen("one") == []


def test_what_failed_before_is_remembered_and_counted(ledger: Ledger, search: SearchRecord) -> None:
    fill(search)
    search.stop()
    ledger.reopen("one", numbers=[0])
    with ledger.open_search("one") as again:
        again.start(Trial(0, architecture=CONV, lineage={"settings": {"channels": 5}}))
        again.record(Result(0, CONV, values={"validation_accuracy": 0.7}, seconds=10.0), 4)
    row = ledger.results("one")[0]
    assert row["state"] == "complete" and row["lineage"]["settings"] == {"channels": 5}
    assert row["lineage"]["failed_before"][0]["error"] == "no luck"
    assert ledger.check() == []
    cost = ledger.cost("one")
    assert (cost["seconds"], cost["core_seconds"], cost["attempts"]) == (20.0, 15.0, 11.0)


def test_a_table_answers_again(ledger: Ledger, search: SearchRecord) -> None:
    search.answer(Result(0, CONV, error="no luck"), 0)
    search.answer(Result(1, CONV, values={"validation_accuracy": 0.5}), 1)
    search.stop()
    assert ledger.reopen("one") == [0]
    with ledger.open_search("one") as again:
        again.answer(Result(0, CONV, values={"validation_accuracy": 0.7}), 1)
        with pytest.raises(LedgerError, match="candidate 1 already has a result"):
            again.answer(Result(1, CONV, values={"validation_accuracy": 0.7}), 2)
    assert [result.number for result in ledger.replay("one").told] == [1, 0]
    assert ledger.check() == []


def test_only_some_and_other_states(ledger: Ledger, search: SearchRecord) -> None:
    fill(search)
    search.stop()
    assert ledger.reopen("one", states=("pruned",)) == [1]
    assert ledger.reopen("one", numbers=[3]) == [3]
    for numbers, fault in (([4], "search one: 4; failed are 0; name one"), ([0, 9], "search one: 9; failed are 0")):
        with pytest.raises(LedgerError, match=fault):
            ledger.reopen("one", numbers=numbers)
    with pytest.raises(LedgerError, match="retry: complete; trials in these states may run again: failed, pruned"):
        ledger.reopen("one", states=("complete",))
    with pytest.raises(LedgerError, match="search: two; recorded are one"):
        ledger.reopen("two")
    with ledger.open_search("one"):  # a reopening that was refused has not kept the search
        pass


def test_not_while_a_driver_writes_it(ledger: Ledger, search: SearchRecord) -> None:
    fill(search)
    with pytest.raises(LedgerError, match="search one: process .* is writing it"):
        ledger.reopen("one")
    assert [row["state"] for row in ledger.results("one")].count("failed") == 2


def test_a_pruned_trial_keeps_its_curve_and_is_neither_best_nor_reused(ledger: Ledger, search: SearchRecord) -> None:
    fill(search)
    row = ledger.results("one")[1]
    assert (row["state"], row["stopped"], row["values"]) == ("pruned", 1, {"validation_accuracy": 0.9})
    search.epoch(row["id"], {"epoch": 1, "validation_accuracy": 0.9})
    assert ledger.epochs(row["id"]) == [{"epoch": 1, "validation_accuracy": 0.9}]
    best = ledger.best("one")
    assert best is not None and best["trial"] == 2
    assert ledger.find_reusable("k1") is None and ledger.find_reusable("k2") is not None
    assert [result.stopped for result in ledger.replay("one").told] == [None, None, 1, None, None]
    with pytest.raises(LedgerError, match="candidate 1 already has a result"):
        search.record(Result(1, CONV))


def test_costs_of_trials_and_of_a_language_model(ledger: Ledger, search: SearchRecord) -> None:
    nothing = {"seconds": 0, "core_seconds": 0, "gpu_seconds": 0, "joules": 0, "attempts": 0, "tokens": 0, "dollars": 0}
    assert ledger.cost("one") == nothing
    first = search.record(Result(0, CONV, seconds=2.5))
    search.record(Result(1, CONV, seconds=1.5, cost={"joules": 10.0, "gpu_seconds": 1.0, "attempts": 3.0}))
    search.record(Result(2, CONV, seconds=2.5, cost={"attempts": 1.0}), reused_from=first)
    search.record(Result(0, CONV, seconds=4.0, cost={"core_seconds": 4.0}), kind="final")
    search.remark(0, "reply", "…", {"tokens": 120, "dollars": 0.25, "calls": 1})
    search.remark(0, "note", "…", {"seconds": 7})
    figures = {"seconds": 8, "core_seconds": 4, "gpu_seconds": 1, "joules": 10, "attempts": 5}
    assert ledger.cost("one") == {**figures, "tokens": 120, "dollars": 0.25}
