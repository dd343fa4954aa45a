"""A database that goes away while a search runs, and comes back: what counts as away, and how it is waited for."""

import sqlite3
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from nasengine.errors import LedgerError

PATIENCE_SECONDS = 600.0
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0  # seconds

CHECK = "check that it can be reached, read and written"
START = "start it, or mend the way to it"
SQLITE = {  # primary result code -> whether it may pass, and what to do
    sqlite3.SQLITE_FULL: (True, "free space on its disk"),
    sqlite3.SQLITE_IOERR: (True, "see to its disk: is it there, sound and not full?"),
    sqlite3.SQLITE_CANTOPEN: (True, "see to its folder: it has to be there, and you have to be allowed to write there"),
    sqlite3.SQLITE_BUSY: (True, "another process has been writing it for long: let it end, or end it"),
    sqlite3.SQLITE_LOCKED: (True, "another process has been writing it for long: let it end, or end it"),
    sqlite3.SQLITE_READONLY: (False, "it cannot be written: see to its permissions, or name another with --db"),
    sqlite3.SQLITE_CORRUPT: (False, "it is damaged: go back to a backup, or name another with --db"),
    sqlite3.SQLITE_NOTADB: (False, "it is no SQLite database: name another with --db"),
}
# connection lost, server going down or coming up, out of disk or connections, a deadlock (its loser goes again)
POSTGRES = ("08", "57P01", "57P02", "57P03", "53", "40")
# libpq has no code for a connection that was never made
UNREACHED = (
    *("refused", "server closed", "closed the connection", "connection is closed", "connection is lost", "reset"),
    *("starting up", "shutting down", "recovery mode", "not yet accepting", "terminating connection", "timeout"),
    *("timed out", "no route to host", "unreachable", "name resolution", "too many clients", "connection slots"),
)

Answer = TypeVar("Answer")


class DatabaseAway(LedgerError):
    """The database cannot be reached or written now; that may pass."""


def explained(place: str, error: DBAPIError) -> LedgerError:
    """Return what went wrong in words: DatabaseAway for what may pass, LedgerError for what will not."""
    away, hint = _judged(error)
    reason = (str(error.orig).strip().splitlines() or [type(error.orig).__name__])[0]
    return (DatabaseAway if away else LedgerError)(f"{place}: {reason}; {hint}")


def is_away(error: BaseException | None) -> bool:
    """Whether an error, or one of those it came from, says that a database is away."""
    while error is not None:
        if isinstance(error, DatabaseAway) or (isinstance(error, DBAPIError) and _judged(error)[0]):
            return True
        error = error.__cause__ or error.__context__
    return False


def _judged(error: DBAPIError) -> tuple[bool, str]:
    """Return whether it may pass, and what to do."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return SQLITE.get(code & 0xFF, (False, CHECK))
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        away = state.startswith(POSTGRES)
        return away, "free space on its disk" if state == "53100" else START if away else CHECK
    words = str(error.orig).lower()
    away = error.connection_invalidated or any(word in words for word in UNREACHED)
    return away, START if away else CHECK


class Waiting:
    """Repeats what fails because a database is away, with growing pauses, and says when that begins and ends.

    `on_note` hears one sentence at the beginning and one at the end of an outage; it must not write to the database.
    """

    def __init__(self, place: str) -> None:
        self.patience = PATIENCE_SECONDS
        self.on_note: Callable[[str], None] | None = None
        self._place = place
        self._since: float | None = None  # when the outage began that was spoken of

    def out(self, attempt: Callable[[], Answer], patience: float | None = None) -> Answer:
        """Return what `attempt` returns, in the end. Raises LedgerError when `patience` seconds were not enough."""
        try:
            answer = attempt()
        except DatabaseAway as away:
            answer = self._again(attempt, away, self.patience if patience is None else patience)
        if self._since is not None:
            self._note(f"{self._place} is back after {time.monotonic() - self._since:.0f} s; going on")
            self._since = None
        return answer

    def _again(self, attempt: Callable[[], Answer], away: DatabaseAway, patience: float) -> Answer:
        pause, began = FIRST_PAUSE, time.monotonic()
        while (waited := time.monotonic() - began) < patience:
            if self._since is None:
                self._since = began
                self._note(f"{away}; waiting for it, nothing is lost")
            time.sleep(min(pause, patience - waited))
            pause = min(2 * pause, LONGEST_PAUSE)
            try:
                return attempt()
            except DatabaseAway as still:
                away = still
        if patience:
            self._since = None
        tried = f" (tried for {patience:.0f} s)" if patience else ""
        raise LedgerError(f"{away}{tried}; then give the same command again: what was recorded is there") from away

    def _note(self, text: str) -> None:
        if self.on_note is not None:
            self.on_note(text)
