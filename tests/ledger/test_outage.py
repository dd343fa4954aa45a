"""Which faults of a database may pass, and what is to be done about each."""

import sqlite3

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from nasengine.ledger.outage import DatabaseAway, explained, is_away


@pytest.mark.parametrize(
    ("code", "away", "hint"),
    [
        (sqlite3.SQLITE_FULL, True, "free space on its disk"),
        (sqlite3.SQLITE_IOERR_FSYNC, True, "see to its disk"),
        (sqlite3.SQLITE_BUSY, True, "another process has been writing it for long"),
        (sqlite3.SQLITE_READONLY, False, "it cannot be written: see to its permissions, or name another with --db"),
        (sqlite3.SQLITE_CORRUPT, False, "it is damaged: go back to a backup"),
        (sqlite3.SQLITE_ERROR, False, "check that it can be reached"),
    ],
)
def test_what_may_pass_in_sqlite(code: int, away: bool, hint: str) -> None:
    cause = sqlite3.OperationalError("some words")
    cause.sqlite_errorcode = code
    error = explained("results database x.db", OperationalError("SELECT 1", {}, cause))
    assert str(error).startswith(f"results database x.db: some words; {hint}")
    assert isinstance(error, DatabaseAway) is away is is_away(error)


@pytest.mark.parametrize(
    ("cause", "away"),
    [
        (psycopg.errors.AdminShutdown("terminating connection due to administrator command"), True),
        (psycopg.errors.CannotConnectNow("the database system is starting up"), True),
        (psycopg.errors.DiskFull("could not extend file"), True),
        (psycopg.errors.DeadlockDetected("deadlock detected"), True),
        (psycopg.OperationalError("connection failed: FATAL:  the database system is starting up"), True),
        (psycopg.OperationalError('connection failed: FATAL:  password authentication failed for user "x"'), False),
        (psycopg.OperationalError('connection failed: FATAL:  database "x" does not exist'), False),
        (psycopg.errors.InsufficientPrivilege("permission denied for table nas_searches"), False),
    ],
)
def test_what_may_pass_in_postgresql(cause: psycopg.Error, away: bool) -> None:
    assert is_away(explained("results database x", OperationalError("SELECT 1", {}, cause))) is away
