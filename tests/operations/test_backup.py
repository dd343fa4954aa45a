"""A backup is a whole database in one file, taken while searches write."""

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from nasengine.errors import LedgerError
from nasengine.ledger import Ledger
from nasengine.operations import backup
from tests.operations.places import begin, everything, train


def without_drivers(facts: dict) -> dict:
    return {**facts, "search": {**facts["search"], "driven": False, "state": "stopped"}}


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_backup_while_a_search_writes(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    address = request.getfixturevalue("postgres") if kind == "postgres" else tmp_path / "a.db"
    with Ledger(address) as ledger, begin(ledger, "other") as other:
        first = train(ledger, other, 0, 0.5)
        with begin(ledger, "one") as record, ledger.open_bench("b", {"table": "t"}) as bench:
            bench.add("x", 0, {"rows": [1]})
            train(ledger, record, 0, 0.1)
            result = ledger.find_reusable("key-other-0")
            assert result is not None
            record.propose(1, {"op": ["skip"]})
            from dataclasses import replace

            record.record(replace(result.result, number=1), reused_from=first)
            stop, numbers = threading.Event(), iter(range(1, 10**6))

            def drive() -> None:
                while not stop.is_set():
                    train(ledger, other, next(numbers), 0.5)

            driver = threading.Thread(target=drive)
            driver.start()
            try:
                made = backup(ledger, tmp_path / "sub" / "copy.db")
            finally:
                stop.set()
                driver.join()
            assert [path.name for path in made.parent.iterdir()] == ["copy.db"], "one file, and nothing beside it"
            with Ledger(made) as copy:
                assert copy.check() == []
                assert everything(copy, "one") == without_drivers(everything(ledger, "one"))
                assert 0 < len(copy.results("other")) <= len(ledger.results("other"))
                with copy.open_bench("b", {"table": "t"}) as again:
                    assert again.done() == {("x", 0)}
                with copy.open_search("one") as resumed:
                    resumed.stop()


def test_optunas_tables_are_in_the_copy_of_a_file(tmp_path: Path) -> None:
    from nasengine.ledger.live_view import catch_up

    with Ledger(tmp_path / "a.db") as ledger:
        with begin(ledger, "one") as record:
            train(ledger, record, 0, 0.5)
        catch_up(ledger, "one")
        made = backup(ledger, tmp_path / "copy.db")
    connection = sqlite3.connect(made)
    assert connection.execute("SELECT count(*) FROM trials").fetchone() == (1,)
    connection.close()


def test_a_backup_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("mine")
    with Ledger(tmp_path / "a.db") as ledger, pytest.raises(LedgerError, match="there is a file already"):
        backup(ledger, tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "mine"


def test_a_folder_that_is_none_and_a_database_in_memory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with Ledger(tmp_path / "a.db") as ledger, pytest.raises(LedgerError, match="name a file in a folder that you can"):
        backup(ledger, tmp_path / "file" / "copy.db")
    with Ledger("sqlite://") as ledger, pytest.raises(LedgerError, match="is in memory"):
        backup(ledger, tmp_path / "copy.db")


def test_a_database_that_is_not_sound_is_not_backed_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find: Callable[..., list[str]] = lambda database: ["search one: something is wrong"]  # noqa: E731
    monkeypatch.setattr("nasengine.ledger.ledger.check", find)
    with Ledger(tmp_path / "a.db") as ledger, pytest.raises(LedgerError, match="not sound: search one: something"):
        backup(ledger, tmp_path / "copy.db")
    assert sorted(path.name for path in tmp_path.iterdir() if "copy" in path.name) == []
