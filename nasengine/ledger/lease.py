"""One writer for one name: a row that says which process writes, taken over when that process is gone.

Every write of the holder goes through `write`, which renews the lease in the same transaction, so that a driver that
was thought dead and wakes up is refused rather than writing beside its successor. Each write leaves its number there:
when a connection is lost while it commits, the number says whether it came through.
"""

import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, RowMapping, Update, bindparam, delete, select, update

from nasengine.errors import LedgerError
from nasengine.ledger.database import Database, upsert
from nasengine.ledger.outage import Answer
from nasengine.ledger.straight import Writing
from nasengine.ledger.tables import leases

BEAT_SECONDS = 15.0
STALE_SECONDS = 120.0

_MINE = (leases.c.name == bindparam("my_name")) & (leases.c.token == bindparam("my_token"))
_RENEW = update(leases).where(_MINE).values(heartbeat=bindparam("heartbeat"))
_STEP = update(leases).where(_MINE).values(heartbeat=bindparam("heartbeat"), step=bindparam("step"))
_LAST_STEP = select(leases.c.step).where(_MINE)
_RELEASE = delete(leases).where(_MINE)


class Lease:
    """The right to write one name; renewed by every write, and by a thread while nothing is written.

    `Lease(database, "search darts-1", connection)` takes it inside the caller's transaction.
    Raises LedgerError when a living process holds it.
    """

    def __init__(self, database: Database, name: str, connection: Connection) -> None:
        self.name = name
        self._database = database
        self._token = secrets.token_hex(16)
        self._mine = {"my_name": name, "my_token": self._token}
        self._steps = count(1)
        self._take(connection)
        self._released = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"lease {name}", daemon=True)
        self._thread.start()

    def write(self, step: Callable[[Writing], Answer], patience: float | None = None) -> Answer:
        """Run a step in one transaction, exactly once, however often the connection is lost in the middle of it.

        Raises LedgerError when another process has taken over, and when the database stays away.
        """
        number = next(self._steps)
        answers: list[Answer] = []

        def once(connection: Writing) -> Answer:
            if answers and connection.execute(_LAST_STEP, self._mine).scalar() == number:
                return answers[0]  # the commit that seemed lost had come through
            self._renew(connection, _STEP, step=number)
            answers[:] = [step(connection)]
            return answers[0]

        return self._database.write(once, patience)

    def renew(self, connection: Connection) -> None:
        """Renew inside the caller's transaction. Raises LedgerError when another process has taken over."""
        self._renew(connection, _RENEW)

    def release(self, patience: float | None = None) -> None:
        """Give the name free; again is allowed."""
        if self._released.is_set():
            return
        self._released.set()
        self._thread.join()
        self._database.write(lambda connection: connection.execute(_RELEASE, self._mine), patience)

    def abandon(self) -> None:
        """Let go of a lease whose transaction is being undone."""
        self._released.set()

    def _renew(self, connection: Writing, statement: Update, **changes: int) -> None:
        if not connection.execute(statement, {"heartbeat": time.time(), **changes, **self._mine}).rowcount:
            raise LedgerError(f"{self.name}: another process has taken over; this one must not write any more")

    def _take(self, connection: Connection) -> None:
        holder = connection.execute(select(leases).where(leases.c.name == self.name)).mappings().first()
        if holder is not None and is_alive(holder):
            raise LedgerError(
                f"{self.name}: process {holder['pid']} on {holder['host']} is writing it; one driver at a time is "
                "allowed; wait for it, stop it, or choose another --name"
            )
        row = {"name": self.name, "token": self._token, "heartbeat": time.time(), "step": 0, **_this_process()}
        connection.execute(upsert(connection.dialect.name, leases, ("name",), tuple(row)), row)

    def _beat(self) -> None:
        while not self._released.wait(BEAT_SECONDS):
            with suppress(LedgerError), self._database.writing() as connection:  # the driver's next write says it
                self.renew(connection)


def is_alive(lease: RowMapping) -> bool:
    """Say whether a lease's holder still writes: its process is there (if it is on this host) and its heart beats."""
    if time.time() - lease["heartbeat"] > STALE_SECONDS:
        return False
    if lease["host"] != socket.gethostname():
        return True
    return _exists(lease["pid"]) and lease["process_started"] == _process_started(lease["pid"])


def _this_process() -> dict[str, Any]:
    pid = os.getpid()
    return {"host": socket.gethostname(), "pid": pid, "process_started": _process_started(pid)}


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _process_started(pid: int) -> str | None:
    """Return when a process was started, in the kernel's ticks: a number is used again, number and start are not."""
    try:
        state, *numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
    return None if state == "Z" else numbers[18]  # a zombie is dead, only nobody has asked for its exit code
