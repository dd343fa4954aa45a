"""What readers get: result rows with one best, a history to replay, work to reuse, tables for pandas."""

import json
from typing import Any

import pytest

from nasengine.errors import LedgerError
from nasengine.job import Result
from nasengine.ledger import Ledger, SearchRecord, Trial

KEYS = {"search", "trial", "kind", "digest", "values", "params", "macs", "seconds", "state", "best"}
PICKS = {"op": ["conv"]}


def put(search: SearchRecord, number: int, accuracy: float, kind: str = "candidate", **facts: Any) -> int:
    values = {"validation_accuracy": accuracy} | ({"test_accuracy": accuracy - 0.1} if kind == "final" else {})
    result = Result(number, PICKS, f"nas1:{number}", values, 100, 2000, 1.0, weights=f"{number}.safetensors")
    return search.record(result, None if kind != "candidate" else number, kind=kind, **facts)


def test_rows_are_complete_and_plain(ledger: Ledger, search: SearchRecord) -> None:
    put(search, 0, 0.5)
    search.start(Trial(1, architecture=PICKS))
    rows = ledger.results()
    assert json.loads(json.dumps(rows)) == rows
    assert set(rows[0]) >= KEYS | {"architecture", "error", "seed"}
    assert {key: rows[0][key] for key in KEYS} == {
        "search": "one",
        "trial": 0,
        "kind": "candidate",
        "digest": "nas1:0",
        "values": {"validation_accuracy": 0.5},
        "params": 100,
        "macs": 2000,
        "seconds": 1.0,
        "state": "complete",
        "best": True,
    }
    assert (rows[1]["state"], rows[1]["values"], rows[1]["seed"]) == ("running", {}, 3)


def test_best_is_the_best_candidate_then_the_final_network(ledger: Ledger, search: SearchRecord) -> None:
    assert ledger.best("one") is None
    put(search, 0, 0.99, kind="supernet")
    assert ledger.best("one") is None
    for number, accuracy in enumerate([0.5, 0.8, 0.8, 0.6]):
        put(search, number, accuracy)
    search.fail(4, "diverged", 4)
    best = ledger.best("one")
    assert best is not None and (best["kind"], best["trial"]) == ("candidate", 1)
    put(search, 0, 0.7, kind="final")
    best = ledger.best("one")
    assert best is not None and (best["kind"], best["values"]["test_accuracy"]) == ("final", pytest.approx(0.6))
    assert sum(row["best"] for row in ledger.results()) == 1


def test_each_search_has_its_own_best(ledger: Ledger, search: SearchRecord, facts: dict[str, Any]) -> None:
    put(search, 0, 0.9)
    with ledger.open_search("two", **facts) as other:
        put(other, 0, 0.1)
        put(other, 1, 0.2)
    assert [(r["search"], r["trial"]) for r in ledger.results() if r["best"]] == [("one", 0), ("two", 1)]
    assert {row["search"] for row in ledger.results("two")} == {"two"}


def test_an_unknown_search_is_named(ledger: Ledger, search: SearchRecord) -> None:
    for ask in (ledger.results, ledger.best, ledger.search, ledger.replay):
        with pytest.raises(LedgerError, match='search: ones; recorded are one. Did you mean "one"'):
            ask("ones")


def test_searches_count_their_results(ledger: Ledger, search: SearchRecord) -> None:
    put(search, 0, 0.5)
    put(search, 1, 0.5)
    search.fail(2, "diverged", 2)
    (row,) = ledger.searches()
    assert (row["name"], row["state"], row["results"]) == ("one", "running", {"complete": 2, "failed": 1})


def test_replay_is_in_told_order_and_without_other_kinds(ledger: Ledger, search: SearchRecord) -> None:
    put(search, 0, 0.5, kind="supernet")
    for order, number in enumerate([2, 0, 1]):
        search.propose(number, PICKS)
        search.record(Result(number, PICKS, values={"validation_accuracy": number / 10}), order)
    search.propose(3, PICKS)
    replay = ledger.replay("one")
    assert [(r.number, r.values["validation_accuracy"]) for r in replay.told] == [(2, 0.2), (0, 0.0), (1, 0.1)]
    assert list(replay.open) == [(3, PICKS)]


def test_reuse_crosses_searches_and_takes_only_complete_trials(
    ledger: Ledger, search: SearchRecord, facts: dict[str, Any]
) -> None:
    assert ledger.find_reusable("k") is None
    search.start(Trial(0, architecture=PICKS, reuse_key="k"))
    assert ledger.find_reusable("k") is None
    search.fail(0, "diverged", 0)
    assert ledger.find_reusable("k") is None
    search.start(Trial(1, architecture=PICKS, reuse_key="k"))
    first = put(search, 1, 0.75)
    search.epoch(first, {"epoch": 0, "validation_accuracy": 0.75})
    found = ledger.find_reusable("k")
    assert found is not None and (found.trial_id, found.search, found.number) == (first, "one", 1)
    assert found.result.values == {"validation_accuracy": 0.75} and found.result.weights == "1.safetensors"
    assert found.result.epochs == [{"epoch": 0, "validation_accuracy": 0.75}]
    with ledger.open_search("two", **facts) as other:
        put(other, 0, 0.75, reuse_key="k", reused_from=found.trial_id)
        found = ledger.find_reusable("k")
        assert found is not None and found.trial_id == first
        assert ledger.results("two")[0]["reused_from"] == first


def test_frame(ledger: Ledger, search: SearchRecord) -> None:
    assert ledger.frame("one").empty
    put(search, 0, 0.5)
    put(search, 0, 0.75, kind="final")
    frame = ledger.frame("one")
    assert frame["validation_accuracy"].tolist() == [0.5, 0.75]
    assert frame["test_accuracy"].isna().tolist() == [True, False]
    assert frame.loc[frame["best"], "kind"].tolist() == ["final"]
    assert "values" not in frame.columns


def test_figures_are_a_part_of_the_results(ledger: Ledger, search: SearchRecord) -> None:
    search.record(Result(0, {"op": ["conv"]}, values={"validation_accuracy": 0.5}, params=7, macs=9, seconds=1.5), 0)
    search.start(Trial(1, architecture={"op": ["skip"]}))
    names = ("trial", "kind", "state", "values", "params", "macs", "seconds")
    assert ledger.figures("one") == [{name: row[name] for name in names} for row in ledger.results("one")]
