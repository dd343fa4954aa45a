"""Retry, backup, merge and prune as they are typed."""

from pathlib import Path

import pytest

from nasengine.console.retrying import again
from nasengine.console.upkeeping import size
from nasengine.errors import LedgerError
from nasengine.job import Result
from nasengine.ledger import Ledger
from tests.console.typed import TINY, good, nasengine
from tests.operations.places import CONV, begin, train


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def leave(db: str, name: str = "one") -> None:
    with Ledger(db) as ledger, begin(ledger, name) as record:
        train(ledger, record, 0, 0.5)
        train(ledger, record, 1, 0.6)
        record.finish()


def test_a_failed_candidate_runs_again_and_the_search_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from nasengine.evaluators import train as evaluator

    def fall(*words: object, **more: object) -> None:
        raise RuntimeError("no luck")

    with monkeypatch.context() as patch:
        patch.setattr(evaluator, "cost", fall)
        failed = nasengine("search", *TINY, "--name", "one", "--db", "my.db")
    assert failed.code == 1 and "not one candidate could be trained" in failed.err
    with Ledger("my.db") as ledger:
        assert [row["state"] for row in ledger.results("one")] == ["failed", "failed"]
    done = good("retry", "one", "--trial", "1", "--db", "my.db")
    assert "1 failed candidates of one run again: 1" in done.err
    with Ledger("my.db") as ledger:
        rows = [(row["kind"], row["trial"], row["state"]) for row in ledger.results("one")]
        assert rows == [("candidate", 0, "failed"), ("candidate", 1, "complete"), ("final", 1, "complete")]
        row = ledger.results("one")[1]
        assert "no luck" in row["lineage"]["failed_before"][0]["error"]
        assert row["lineage"]["settings"]["channels"] == 4
        assert [result.number for result in ledger.replay("one").told] == [0, 1]
        assert ledger.check() == []
        assert ledger.cost("one")["attempts"] >= 3
    assert "1 failed candidates of one run again: 0" in good("retry", "one", "--failed", "--db", "my.db").err
    assert "has no failed candidate" in good("retry", "one", "--db", "my.db").err


def test_what_is_said_where_nothing_can_go_on() -> None:
    with Ledger("my.db") as ledger, begin(ledger, "one", command="python my.py") as record:
        record.propose(0, CONV)
        record.record(Result(0, CONV, error="no luck"), 0)
        refused = nasengine("retry", "one", "--db", "my.db")
        assert refused.code == 2 and "is writing it" in refused.err
    bad = nasengine("retry", "one", "--trial", "7", "--db", "my.db")
    assert bad.code == 2 and "search one: 7; failed are 0; name one" in bad.err
    program = nasengine("retry", "one", "--db", "my.db")
    assert program.code == 2
    assert "begun by python my.py" in program.err and "nasengine.search(…, name='one', db='my.db')" in program.err
    assert 'Did you mean "one"' in nasengine("retry", "on", "--db", "my.db").err
    assert "there is none" in nasengine("retry", "one", "--db", "other.db").err


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("nasengine search --space 'my space.py'", ["search", "--space", "my space.py", "--name", "n"]),
        ("nasengine search --name n --db=old.db --seed 3", ["search", "--seed", "3", "--name", "n"]),
        ("nasengine search --db old.db --name=n", ["search", "--name", "n"]),
    ],
)
def test_the_command_that_goes_on(command: str, words: list[str]) -> None:
    assert again(command, "n", "results/nasengine.db") == words
    assert again(command, "n", "x.db") == [*words, "--db", "x.db"]


@pytest.mark.parametrize("command", ["", "python x.py", "nasengine train --space darts", "nasengine 'search"])
def test_other_commands_are_not_given_again(command: str) -> None:
    with pytest.raises(LedgerError, match="which is no `nasengine search …`"):
        again(command, "n", "x.db")


def test_backup() -> None:
    leave("my.db")
    assert "copy.db: " in (said := good("backup", "copy.db", "--db", "my.db").out) and "1 searches; it is sound" in said
    assert '"trial": 1' in good("results", "--db", "copy.db", "--json").out
    again_ = nasengine("backup", "copy.db", "--db", "my.db")
    assert again_.code == 2 and "there is a file already; a backup overwrites nothing" in again_.err
    assert "there is none" in nasengine("backup", "x.db", "--db", "nowhere.db").err


def test_merge() -> None:
    leave("a.db")
    leave("b.db", "two")
    done = good("merge", "a.db", "b.db").out
    assert "copied, with 2 results" in done and "two" in done
    (row,) = good("merge", "a.db", "b.db", "--json").json
    assert row == {
        **{"from": "b.db", "kind": "search", "name": "two", "now": "two"},
        "done": "there already, with 2 results; left as it is",
    }
    assert len(good("merge", "a.db", "b.db", "--db", "new/c.db", "--json").json) == 3
    assert [Path(row["weights"]).parts[:2] for row in good("results", "--db", "new/c.db", "--json").json][0] == (
        *("new", "c.runs"),
    )
    for words, fault in (
        (["a.db"], "merge: a.db alone came"),
        (["a.db", "a.db"], "came twice"),
        (["a.db", "nowhere.db"], "nowhere.db: there is none"),
    ):
        bad = nasengine("merge", *words)
        assert bad.code == 2 and fault in bad.err


def test_prune() -> None:
    leave("my.db")
    assert good("prune", "--keep", "1", "--dry-run", "--db", "my.db", "--json").json == [
        {"search": "one", "weights": 1, "checkpoints": 0, "bytes": 23}
    ]
    assert "would be freed" in good("prune", "one", "--keep", "1", "--dry-run", "--db", "my.db").out
    assert "23 B" in good("prune", "one", "--keep", "1", "--db", "my.db").out
    assert "nothing to remove" in good("prune", "--keep", "1", "--db", "my.db").out
    bad = nasengine("prune", "--keep", "-1", "--db", "my.db")
    assert bad.code == 2 and "a whole number from 0" in bad.err
    assert "recorded are one" in nasengine("prune", "two", "--db", "my.db").err


def test_sizes() -> None:
    assert [size(count) for count in (0, 999, 1000, 123_456, 4_500_000, 10**13)] == [
        *("0 B", "999 B", "1.0 kB", "123 kB", "4.5 MB", "10.0 TB"),
    ]
