"""The thread that keeps Optuna's copy of a search up to date while the search runs, and the same afterwards."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress

from nasengine.errors import LedgerError
from nasengine.ledger.lease import Lease
from nasengine.ledger.ledger import Ledger
from nasengine.ledger.optuna_pictures import Picture
from nasengine.ledger.optuna_view import Mirror
from nasengine.ledger.outage import is_away

POLL_SECONDS = 1.0
LAST_TRIES = 5  # of a view whose search has ended while the database is away


class OptunaView:
    """A thread in the driver that shows one search to Optuna.

    It shares the ledger's write lock, gives way to it, and rests for as long as it wrote. Where the database goes away
    it begins anew when that is back. It never ends a search: what went wrong is in `error` afterwards.
    `picture` draws a trial; a view that falls behind draws only what leads.
    Raises LedgerError for a ledger in memory.
    """

    def __init__(self, ledger: Ledger, name: str, picture: Picture | None = None) -> None:
        need_file(ledger)
        self.error: str | None = None
        self._ledger = ledger
        self._name = name
        self._picture = picture
        self._closing = threading.Event()
        self._written = 0
        self._thread = threading.Thread(target=self._run, name=f"optuna view of {name}", daemon=True)
        self._thread.start()

    def close(self) -> int:
        """Write what is missing and end the thread; returns how many trials this view has written in all."""
        self._closing.set()
        self._thread.join()
        return self._written

    def _run(self) -> None:
        try:
            lease = self._wait_for_turn()
            if lease is not None:
                try:
                    self._follow()
                finally:
                    lease.release(patience=0.0)
        except Exception as error:  # a view that fails must not end the search
            self.error = f"Optuna view of {self._name}: {type(error).__name__}: {error}"

    def _wait_for_turn(self) -> Lease | None:
        """Return the right to write the view, once a `catch_up` elsewhere has ended; None when closed before that."""
        while True:
            try:
                return _take_turn(self._ledger, self._name)
            except LedgerError:
                if self._closing.wait(POLL_SECONDS):
                    return None

    def _follow(self) -> None:
        """Keep the view up to date until it is closed, through outages of the database."""
        tries = 0
        while True:
            try:
                return self._follow_once()
            except Exception as error:
                tries += self._closing.is_set()
                if tries > LAST_TRIES or not is_away(error):
                    raise
            time.sleep(POLL_SECONDS)

    def _follow_once(self) -> None:
        mirror = Mirror(self._ledger, self._name, self._picture)
        try:
            while not self._closing.wait(POLL_SECONDS):
                mirror.synchronise(pause=self._closing.wait)
            mirror.synchronise()
        finally:
            self._written += mirror.written
            self.error = self.error or mirror.trouble and f"Optuna view of {self._name}: {mirror.trouble}"
            with suppress(Exception):  # there is nothing to lose in letting go
                mirror.close()


def catch_up(
    ledger: Ledger, name: str, picture: Picture | None = None, on_note: Callable[[str], object] = lambda text: None
) -> int:
    """Write what Optuna's copy of a search lacks; returns how many trials, 0 while the search's driver does it itself.

    `on_note` hears why pictures are missing.

    Raises LedgerError for an unknown search, a ledger in memory, and a study of that name that is somebody else's.
    """
    need_file(ledger)
    ledger.search(name)
    try:
        lease = _take_turn(ledger, name)
    except LedgerError:
        return 0
    try:
        mirror = Mirror(ledger, name, picture)
        try:
            return mirror.synchronise()
        finally:
            mirror.close()
            if mirror.trouble is not None:
                on_note(f"Optuna view of {name}: {mirror.trouble}")
    finally:
        lease.release()


def _take_turn(ledger: Ledger, name: str) -> Lease:
    with ledger.database.writing() as connection:
        ledger.database.exclusively(connection)
        return Lease(ledger.database, f"view {name}", connection)


def need_file(ledger: Ledger) -> None:
    """Raise LedgerError for a database in memory, which Optuna could not open."""
    if ledger.database.in_memory:
        raise LedgerError("Optuna view: the results database is in memory; name a file or a PostgreSQL URL with --db")
