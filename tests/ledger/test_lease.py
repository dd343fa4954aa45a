"""One writer for a name: refused while it lives, taken over when it is gone, and fenced off when it wakes."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from nasengine.errors import LedgerError
from nasengine.ledger.database import Database
from nasengine.ledger.lease import STALE_SECONDS, Lease, is_alive
from nasengine.ledger.tables import leases


def take(database: Database) -> Lease:
    with database.writing() as connection:
        database.exclusively(connection)
        return Lease(database, "search one", connection)


def change(database: Database, **values: Any) -> None:
    with database.writing() as connection:
        connection.execute(update(leases).values(**values))


@pytest.fixture
def database(url: str) -> Any:
    opened = Database(url)
    yield opened
    opened.close()


def test_a_second_writer_is_refused_until_the_first_lets_go(database: Database) -> None:
    first = take(database)
    with pytest.raises(LedgerError, match=f"search one: process {os.getpid()} on .* is writing it; one driver"):
        take(database)
    first.release()
    first.release()
    take(database).release()


@pytest.mark.parametrize(
    "gone",
    [
        {"heartbeat": time.time() - STALE_SECONDS - 60},
        {"host": "another-host", "heartbeat": time.time() - STALE_SECONDS - 60},
        {"process_started": "1"},  # the number is there, but it is another process
    ],
)
def test_a_lost_lease_is_taken_over_and_its_holder_fenced_off(database: Database, gone: dict[str, Any]) -> None:
    first = take(database)
    change(database, **gone)
    second = take(database)
    with pytest.raises(LedgerError, match="another process has taken over"), database.writing() as connection:
        first.renew(connection)
    first.release()
    with database.writing() as connection:
        second.renew(connection)  # the first one's release did not take it away
    second.release()


def test_another_host_is_believed_while_its_heart_beats(database: Database) -> None:
    first = take(database)
    change(database, host="another-host", pid=2**22 + 1)
    with pytest.raises(LedgerError, match="process 4194305 on another-host"):
        take(database)
    first.release()


def test_a_dead_process_and_a_zombie_do_not_hold_it(database: Database) -> None:
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    first = take(database)
    change(database, pid=child.pid)
    time.sleep(0.3)  # it has ended by now, and nobody has waited for it
    with database.reading() as connection:
        assert not is_alive(connection.execute(select(leases)).mappings().one())
    child.wait()
    take(database).release()
    first.release()


def test_the_thread_renews_it(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nasengine.ledger.lease.BEAT_SECONDS", 0.02)
    lease = take(database)
    change(database, heartbeat=1.0)
    deadline = time.time() + 10
    while time.time() < deadline:
        with database.reading() as connection:
            if connection.execute(select(leases.c.heartbeat)).scalar_one() > 1.0:
                break
        time.sleep(0.02)
    else:
        pytest.fail("no heartbeat within ten seconds")
    lease.release()


def test_a_killed_driver_is_taken_over_at_once(tmp_path: Path) -> None:
    code = (
        "import sys, time\n"
        "from nasengine.ledger import Ledger\n"
        f"search = Ledger({str(tmp_path / 'x.db')!r}).open_search('one', space='darts', strategy='random-search')\n"
        "print('ready', flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert child.stdout is not None and child.stdout.readline() == b"ready\n"
    database = Database(tmp_path / "x.db")
    with pytest.raises(LedgerError, match=f"process {child.pid} on"):
        take(database)
    child.kill()
    child.wait()
    child.stdout.close()
    take(database).release()
    database.close()
