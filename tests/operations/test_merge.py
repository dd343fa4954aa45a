"""Two databases become one: every row and file is there once, and nothing that was there is lost."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from nasengine.errors import LedgerError
from nasengine.ledger import Ledger
from nasengine.operations import backup, merge
from tests.operations.places import begin, everything, train


@pytest.fixture(params=["sqlite to sqlite", "sqlite to postgres", "postgres to sqlite"])
def pair(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Ledger, Ledger]]:
    """The database that is added, and the one that it is added to."""
    monkeypatch.chdir(tmp_path)
    source, target = (
        request.getfixturevalue("postgres") if kind == "postgres" else tmp_path / name / "x.db"
        for kind, name in zip(request.param.split(" to "), ("b", "a"), strict=True)
    )
    with Ledger(source) as one, Ledger(target) as other:
        yield one, other


def test_everything_comes_along(pair: tuple[Ledger, Ledger]) -> None:
    source, target = pair
    with begin(target, "there") as record:
        train(target, record, 0, 0.3)
    with begin(source, "first") as record:
        train(source, record, 0, 0.5)
        first = train(source, record, 1, 0.7, stopped=2)
    with begin(source, "second", seed=7) as record:
        inherited = source.results("first")[0]["weights"]
        train(source, record, 0, 0.9, cost={"joules": 7.0}, lineage={"inherit": {"a": [inherited, "b"]}})
        record.propose(1, {"op": ["skip"]})
        with source.database.writing() as connection:
            connection.execute(text(f"UPDATE nas_trials SET reused_from = {first} WHERE seconds = 1.5 AND value = 0.9"))
        record.finish()
    with source.open_bench("b", {"table": "t"}) as bench:
        bench.add("x", 0, {"rows": [1]})
    before = {name: everything(source, name) for name in ("first", "second")}
    said = merge(target, source)
    assert [(one.kind, one.now, one.done) for one in said] == [
        ("search", "first", "copied, with 2 results"),
        ("search", "second", "copied, with 1 results"),
        ("bench", "b", "1 runs copied"),
    ]
    for name, facts in before.items():
        assert everything(target, name) == facts == everything(source, name)
    assert everything(target, "second")["rows"][0]["reused_from"] == ("first", 1)
    assert target.check() == []
    assert len(target.results("there")) == 1
    if source.database.is_sqlite and target.database.is_sqlite:
        assert {Path(row["weights"]).parts[-5] for row in target.results()} == {"a"}
        file = target.results("second")[0]["lineage"]["inherit"]["a"][0]
        assert Path(file).parts[-5:-2] == ("a", "x.runs", "first")


def test_again_changes_nothing_and_more_results_are_taken_over(pair: tuple[Ledger, Ledger]) -> None:
    source, target = pair
    with begin(source, "one") as record:
        train(source, record, 0, 0.5)
    merge(target, source)
    ids = [row["id"] for row in target.results("one")]
    (said,) = merge(target, source)
    assert said.done == "there already, with 1 results; left as it is"
    with source.open_search("one") as record:
        train(source, record, 1, 0.8)
        record.finish()
    (said,) = merge(target, source)
    assert said.done == "there already, with 1 results; brought up to 2"
    assert everything(target, "one") == everything(source, "one")
    assert [row["id"] for row in target.results("one")][:1] == ids, "what was there keeps its id"
    (said,) = merge(source, target)
    assert said.done == "there already, with 2 results; left as it is"


def test_another_search_of_the_same_name_is_renamed(pair: tuple[Ledger, Ledger]) -> None:
    source, target = pair
    for ledger, accuracy in ((source, 0.5), (target, 0.6)):
        with begin(ledger, "one") as record:
            train(ledger, record, 0, accuracy)
        with ledger.open_bench("b", {"table": str(accuracy)}) as bench:
            bench.add("x", 0, {"rows": [accuracy]})
    said = merge(target, source)
    assert [one.done for one in said] == [
        "copied, with 1 results; another one is called one there, so it is one-2 now",
        "1 runs copied; another one is called b there, so it is b-2 now",
    ]
    said = merge(target, source)  # the second time it is known under its new name
    assert [(one.name, one.now) for one in said] == [("one", "one-2"), ("b", "b-2")]
    assert [s["name"] for s in target.searches()] == ["one", "one-2"]
    assert [row["values"] for row in target.results("one-2")] == [{"validation_accuracy": 0.5}]


def test_a_failure_leaves_it_as_it_was(pair: tuple[Ledger, Ledger], monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = pair
    with begin(source, "one") as record:
        train(source, record, 0, 0.5)

    def fall(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("nasengine.ledger.copying._insert", fall)
    with pytest.raises(ZeroDivisionError):
        merge(target, source)
    assert target.searches() == []
    there = Path("a/x.runs") if target.database.is_sqlite else Path("results")
    assert not [path for path in there.rglob("*") if path.is_file()]


def test_a_running_search_and_the_same_database_are_refused(pair: tuple[Ledger, Ledger]) -> None:
    source, target = pair
    with pytest.raises(LedgerError, match="came twice; name two databases"):
        merge(target, target)
    with begin(source, "one"):
        for one, other in ((source, target), (target, source)):
            with pytest.raises(LedgerError, match="merge: one is being searched now"):
                merge(one, other)


def test_a_backup_is_the_same_search(tmp_path: Path, counted: Callable[[Ledger], int]) -> None:
    with Ledger(tmp_path / "a.db") as ledger:
        with begin(ledger, "one") as record:
            train(ledger, record, 0, 0.5)
        with Ledger(backup(ledger, tmp_path / "copy.db")) as copy:
            (said,) = merge(ledger, copy)
        assert said.done.startswith("there already, with 1 results") and counted(ledger) == 1


@pytest.fixture
def counted() -> Callable[[Ledger], int]:
    return lambda ledger: len(ledger.results())
