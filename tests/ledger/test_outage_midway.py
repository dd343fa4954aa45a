"""A database that goes away in the middle of a search: what is written waits, is written once, and this is said."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import event

from nasengine.errors import LedgerError
from nasengine.job import Result
from nasengine.ledger import Ledger, SearchRecord, Trial
from nasengine.ledger.live_view import OptunaView
from tests.postgres_server import Server

CONV = {"op": ["conv"]}


@pytest.fixture(scope="module")
def server(needs: Callable[[str], Path]) -> Iterator[Server]:
    """A server that these tests may stop."""
    with Server(needs("postgres")) as started:
        yield started


def result(number: int) -> Result:
    return Result(number, CONV, values={"validation_accuracy": 0.5})


def one_trial(search: SearchRecord, number: int) -> None:
    """Every kind of write that a search makes."""
    search.propose(number, CONV)
    trial = search.start(Trial(number, architecture=CONV))
    search.epoch(trial, {"epoch": 0, "validation_accuracy": 0.4}, {"op": {"conv": 1.0}})
    search.record(result(number))
    search.tell(number, number)
    search.remark(number, "note", "said once " * 300, {})
    search.artifact(trial, "weights", "w.safetensors")


def is_whole(ledger: Ledger, trials: int) -> None:
    """Each of so many trials is there, once, with everything."""
    assert ledger.check() == []
    rows = ledger.results("one")
    assert [(row["trial"], row["state"]) for row in rows] == [(number, "complete") for number in range(trials)]
    assert [len(ledger.epochs(row["id"])) for row in rows] == [1] * trials
    assert [remark["number"] for remark in ledger.remarks("one")] == list(range(trials))
    assert [r.number for r in ledger.replay("one").told] == list(range(trials))


def test_a_server_that_is_stopped_and_started_midway(server: Server) -> None:
    said: list[str] = []
    with Ledger(server.url, on_note=said.append) as ledger:
        with ledger.open_search("one", space="darts", strategy="x") as search:
            one_trial(search, 0)
            server.stop()
            back = threading.Timer(1.0, server.start)
            back.start()
            one_trial(search, 1)
            back.join()
            server.stop()
            back = threading.Timer(0.5, server.start)
            back.start()
            assert len(ledger.results("one")) == 2, "what is read waits as well"
            back.join()
            one_trial(search, 2)
            search.finish()
        is_whole(ledger, 3)
        assert ledger.search("one")["state"] == "complete"
    assert len(said) == 4
    for away, again in (said[:2], said[2:]):
        assert away.startswith(f"results database {server.url}: ")
        assert away.endswith("start it, or mend the way to it; waiting for it, nothing is lost")
        assert again.startswith(f"results database {server.url} is back after ")


def test_the_view_goes_on_after_an_outage(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nasengine.ledger.live_view.POLL_SECONDS", 0.05)
    with Ledger(server.url) as ledger, ledger.open_search("seen", space="darts", strategy="x") as search:
        view = OptunaView(ledger, "seen")
        one_trial(search, 0)
        time.sleep(0.5)
        server.stop()
        time.sleep(0.5)
        server.start()
        one_trial(search, 1)
        assert view.close() == 2 and view.error is None


def test_a_view_that_is_closed_while_the_database_is_away_does_not_wait_long(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nasengine.ledger.live_view.POLL_SECONDS", 0.05)
    with Ledger(server.url) as ledger, ledger.open_search("closed", space="darts", strategy="x") as search:
        view = OptunaView(ledger, "closed")
        one_trial(search, 0)
        time.sleep(0.3)
        server.stop()
        began = time.monotonic()
        view.close()
        assert time.monotonic() - began < 10
        assert view.error is not None and view.error.startswith("Optuna view of closed: ")
        server.start()


def test_patience_ends(server: Server) -> None:
    said: list[str] = []
    with Ledger(server.url, on_note=said.append) as ledger:
        search = ledger.open_search("patient", space="darts", strategy="x")
        ledger.database.waiting.patience = 0.3
        server.stop()
        try:
            with pytest.raises(
                LedgerError, match=r"start it, or .* \(tried for 0 s\); then give the same command again"
            ):
                search.propose(0, CONV)
            with pytest.raises(LedgerError, match="start it"):
                ledger.results("patient")
            began = time.monotonic()
            with pytest.raises(ZeroDivisionError), search:  # an error is not held up by what cannot be written
                _ = 1 / 0
            assert time.monotonic() - began < 5
        finally:
            server.start()
        assert len(said) == 2, "two outages, none of which ended"


class Dies:
    """A connection that is lost just after it committed: the change is there, and nobody was told."""

    def __init__(self, ledger: Ledger) -> None:
        self.engine = ledger.database.engine
        self.left = 0
        self.commit = self.engine.dialect.do_commit
        self.engine.dialect.do_commit = self.committed_and_lost  # type: ignore[method-assign]

    def committed_and_lost(self, connection: Any) -> None:
        self.commit(connection)
        if self.left:
            self.left -= 1
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR
            lost = psycopg.OperationalError("server closed the connection unexpectedly")
            raise error if self.engine.dialect.name == "sqlite" else lost


def test_a_commit_whose_answer_was_lost_is_not_done_twice(ledger: Ledger) -> None:
    dies = Dies(ledger)
    with ledger.open_search("one", space="darts", strategy="x") as search:
        writes: list[Callable[[], Any]] = [
            lambda: search.propose(0, CONV),
            lambda: search.start(Trial(0, architecture=CONV)),
            lambda: search.epoch(ledger.results("one")[0]["id"], {"epoch": 0, "validation_accuracy": 0.4}),
            lambda: search.record(result(0)),
            lambda: search.tell(0, 0),
            lambda: search.remark(0, "note", "said once", {}),
            lambda: search.answer(result(1), 1),
        ]
        for write in writes:
            dies.left = 1
            write()
            assert dies.left == 0
        search.remark(1, "note", "said once", {})
        search.epoch(ledger.results("one")[1]["id"], {"epoch": 0})
        dies.left = 1
        search.finish()
    is_whole(ledger, 2)


def test_a_retried_write_is_fenced_off_by_a_successor(ledger: Ledger) -> None:
    dies = Dies(ledger)
    search = ledger.open_search("one", space="darts", strategy="x")
    dies.left = 1

    def take_over(_: str) -> None:
        with sqlite_or_postgres(ledger) as connection:
            connection.exec_driver_sql("UPDATE nas_leases SET token = 'another'")

    ledger.database.waiting.on_note = take_over
    with pytest.raises(LedgerError, match="another process has taken over"):
        search.propose(0, CONV)


def sqlite_or_postgres(ledger: Ledger) -> Any:
    """A transaction past the lock, as of another process."""
    return ledger.database.engine.begin()


def test_a_bench_waits_too(ledger: Ledger) -> None:
    dies = Dies(ledger)
    with ledger.open_bench("b", {"table": "t"}) as bench:
        dies.left = 1
        bench.add("x", 0, {"rows": [1]})
        assert [run["seed"] for run in bench.runs()] == [0]


def test_a_full_disk_is_waited_for(tmp_path: Path) -> None:
    said: list[str] = []
    with Ledger(tmp_path / "x.db", on_note=said.append) as ledger:
        room = threading.Event()
        with ledger.database.reading() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one() + 2

        @event.listens_for(ledger.database.engine, "checkout")
        def limit(connection: Any, *_: Any) -> None:
            connection.execute(f"PRAGMA max_page_count={10**6 if room.is_set() else pages}")

        with ledger.open_search("one", space="darts", strategy="x") as search:
            threading.Timer(1.0, room.set).start()
            for number in range(40):
                one_trial(search, number)
            search.finish()
        is_whole(ledger, 40)
    assert len(said) == 2
    assert "database or disk is full; free space on its disk; waiting for it, nothing is lost" in said[0]
    assert said[1].startswith(f"results database sqlite:///{tmp_path}/x.db is back after ")


def test_a_file_that_is_taken_away_and_put_back(tmp_path: Path) -> None:
    said: list[str] = []
    (tmp_path / "here").mkdir()
    with Ledger(tmp_path / "here" / "x.db", on_note=said.append) as ledger:
        with ledger.open_search("one", space="darts", strategy="x") as search:
            one_trial(search, 0)
            (tmp_path / "here").rename(tmp_path / "there")
            (tmp_path / "here").mkdir()

            def put_back() -> None:
                assert list((tmp_path / "here").iterdir()) == [], "no empty database was made in its place"
                (tmp_path / "here").rmdir()
                (tmp_path / "there").rename(tmp_path / "here")

            back = threading.Timer(0.7, put_back)
            back.start()
            one_trial(search, 1)
            back.join()
            search.finish()
        is_whole(ledger, 2)
    assert len(said) == 2 and "its file was moved or deleted; put it back; waiting" in said[0]


def test_what_hears_a_note_must_not_write(ledger: Ledger) -> None:
    dies = Dies(ledger)
    search = ledger.open_search("one", space="darts", strategy="x")
    ledger.database.waiting.on_note = lambda text: search.remark(0, "fault", text, {})
    dies.left = 1
    with pytest.raises(RuntimeError, match="written to while it is being written"):
        search.propose(0, CONV)
    ledger.database.waiting.on_note = None
    search.stop()


def test_a_database_that_may_not_be_written_is_no_outage(tmp_path: Path) -> None:
    with Ledger(tmp_path / "x.db") as ledger:
        search = ledger.open_search("one", space="darts", strategy="x")

        @event.listens_for(ledger.database.engine, "checkout")
        def forbid(connection: Any, *_: Any) -> None:
            connection.execute("PRAGMA query_only=ON")

        with pytest.raises(LedgerError, match="attempt to write a readonly database; it cannot be written: see to its"):
            search.propose(0, CONV)
        event.remove(ledger.database.engine, "checkout", forbid)
