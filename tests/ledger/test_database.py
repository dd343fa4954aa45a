"""Addresses, settings of SQLite, explained faults, and the order in which writers go."""

import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from nasengine.errors import LedgerError
from nasengine.ledger.database import Database, WriteLock


def test_sqlite_settings_and_folder(tmp_path: Path) -> None:
    database = Database(tmp_path / "a" / "b" / "nas.db")
    with database.reading() as connection:
        found = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        }
    database.close()
    assert found == {"journal_mode": "wal", "synchronous": 1, "busy_timeout": 60000, "foreign_keys": 1}


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("mysql://host/x", "results database: mysql; allowed are a path"),
        ("nonsense+driver://host/x", "results database: nonsense"),
        (
            "postgresql+psycopg://nobody@127.0.0.1:9/none",
            "results database postgresql.*refused; start it, or mend the way",
        ),
    ],
)
def test_bad_addresses(address: str, fault: str) -> None:
    with pytest.raises(LedgerError, match=fault):
        Database(address)


def test_a_password_is_not_shown() -> None:
    with pytest.raises(LedgerError) as caught:
        Database("postgresql://user:secret@127.0.0.1:9/none")
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("this is not a database, it is a text of some length, " * 20)
    with pytest.raises(LedgerError, match="file is not a database; it is no SQLite database: name another"):
        Database(tmp_path / "x.db")


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="name a folder you can write"):
        Database(tmp_path / "file" / "x.db")


def test_reading_commands_do_not_make_a_database(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="there is none; run `nasengine search` first"):
        Database(tmp_path / "x.db", create=False)
    assert not list(tmp_path.iterdir())


def test_many_open_a_new_database_at_once(url: str) -> None:
    opened, faults = [], []

    def work() -> None:
        try:
            opened.append(Database(url))
        except LedgerError as error:
            faults.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for database in opened:
        database.close()
    assert len(opened) == 6, faults


def test_a_write_that_fails_leaves_nothing(url: str) -> None:
    database = Database(url)
    row = "INSERT INTO nas_leases (name, host, pid, token, heartbeat) VALUES ('x', 'h', 1, 't', 0)"
    with pytest.raises(ZeroDivisionError), database.writing() as connection:
        connection.execute(text(row))
        _ = 1 / 0
    with pytest.raises(LedgerError), database.writing() as connection:
        connection.execute(text(row))
        connection.execute(text(row))
    with database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM nas_leases")).scalar() == 0
    database.close()


def test_the_patient_wait_for_all_others() -> None:
    lock, order = WriteLock(), []

    def go(name: str, patient: bool) -> None:
        with lock.held(patient):
            order.append(name)
            time.sleep(0.02)

    with lock.held():
        threads = [threading.Thread(target=go, args=("view", True))]
        threads += [threading.Thread(target=go, args=(f"ledger {i}", False)) for i in range(3)]
        for thread in threads:
            thread.start()
            time.sleep(0.02)
    for thread in threads:
        thread.join()
    assert order[-1] == "view" and len(order) == 4
