"""A copy of a results database in one SQLite file, taken while searches write."""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from sqlalchemy import delete, select

from nasengine.errors import LedgerError
from nasengine.ledger import Ledger
from nasengine.ledger.copying import Ids, copy_bench, copy_search, link
from nasengine.ledger.tables import benches, leases, searches


def backup(ledger: Ledger, to: Path) -> Path:
    """Copy a database into a new SQLite file, also while searches write it; returns the file.

    Of a SQLite file everything is copied, Optuna's tables as well; of PostgreSQL all that is ours. Nobody holds a
    search in the copy. Raises LedgerError where the file is there already, and where the copy is not sound.
    """
    if to.exists():
        raise LedgerError(f"backup {to}: there is a file already; a backup overwrites nothing; give another name")
    if ledger.database.in_memory:
        raise LedgerError("backup: this results database is in memory; name a file or a PostgreSQL URL with --db")
    part = to.with_name(to.name + ".part")
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        (_copy_file if ledger.database.is_sqlite else _copy_rows)(ledger, part)
        with Ledger(part) as copy:
            with copy.database.writing() as connection:
                connection.execute(delete(leases))
            faults = copy.check()
        if faults:
            raise LedgerError(f"backup {to}: the copy is not sound: {'; '.join(faults)}; see to the database itself")
        _one_file(part)
        os.replace(part, to)
    except (OSError, sqlite3.Error) as error:
        raise LedgerError(f"backup {to}: {error}; name a file in a folder that you can write to") from error
    finally:
        for rest in ("", "-wal", "-shm", "-journal"):
            with suppress(OSError):
                part.with_name(part.name + rest).unlink(missing_ok=True)
    return to


def _copy_file(ledger: Ledger, to: Path) -> None:
    with closing(sqlite3.connect(str(ledger.database.url.database))) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)


def _copy_rows(ledger: Ledger, to: Path) -> None:
    with Ledger(to) as copy, ledger.database.reading() as source, copy.database.writing() as target:
        ids: Ids = {}
        for row in source.execute(select(searches).order_by(searches.c.id)).mappings().all():
            ids |= copy_search(source, target, dict(row), row["name"], lambda path: path)
        link(source, target, ids)
        for row in source.execute(select(benches).order_by(benches.c.id)).mappings().all():
            copy_bench(source, target, dict(row), row["name"])


def _one_file(path: Path) -> None:
    """Leave SQLite's write-ahead log, so that the file alone is the whole database."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
