"""One open database: its address, its settings, and the lock under which it is written."""

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache, partial
from pathlib import Path
from threading import Condition, get_ident
from typing import Any
from weakref import finalize

from sqlalchemy import (
    URL,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Executable,
    Table,
    create_engine,
    event,
    func,
    make_url,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import StaticPool

from nasengine.errors import LedgerError
from nasengine.ledger.outage import Answer, DatabaseAway, Waiting, explained
from nasengine.ledger.straight import Writing, straight_write
from nasengine.ledger.upgrade import is_current, upgrade

PRAGMAS = ("busy_timeout=60000", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON")
_AS_JSON = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
_READ_JSON = json.JSONDecoder().raw_decode
ONE_LOOK = "REPEATABLE READ"
PG_LOCK = 0x6E6173  # any number, the same in all versions
# a host that says nothing any more is given up after half a minute, not after the hours that TCP waits
PG_CONNECT = {
    **{"connect_timeout": 10, "tcp_user_timeout": 30_000},
    **{"keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3},
}


class WriteLock:
    """One writer at a time in this process; a patient one goes only when no other waits."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._held: int | None = None  # the thread that has it
        self._waiting = 0

    @contextmanager
    def held(self, patient: bool = False) -> Iterator[None]:
        """Wait for the lock and hold it. Raises RuntimeError in the thread that holds it, which would wait for ever."""
        if self._held == get_ident():
            raise RuntimeError("results database: written to while it is being written, as by what hears its notes")
        with self._changed:
            self._waiting += not patient
            try:
                self._changed.wait_for(lambda: self._held is None and not (patient and self._waiting))
            finally:
                self._waiting -= not patient
            self._held = get_ident()
        try:
            yield
        finally:
            with self._changed:
                self._held = None
                self._changed.notify_all()


class Database:
    """A SQLite file, SQLite in memory (`sqlite://`) or a PostgreSQL database, upgraded to this version's tables.

    Raises LedgerError when it cannot be opened, was written by a newer version, or is missing with `create=False`.
    Once it is open, `read` and `write` wait for it through outages, for `waiting.patience` seconds; what
    `waiting.on_note` hears is said there.
    """

    def __init__(self, address: str | Path, *, create: bool = True) -> None:
        self.url = _url(address)
        self.place = f"results database {self.url.render_as_string()}"
        self.lock = WriteLock()
        self.waiting = Waiting(self.place)
        self.in_memory = self.is_sqlite and self.url.database in (None, "", ":memory:")
        if self.is_sqlite and not self.in_memory:
            _prepare_file(Path(str(self.url.database)), create)
        self.engine = _engine(self.url, self.in_memory)
        self._writer = self.engine.execution_options(nas_writing=True)
        self._begin: Callable[[], AbstractContextManager[Writing]] = (
            partial(straight_write, self.engine) if self.is_sqlite else self._writer.begin
        )
        self._reader = self.engine if self.is_sqlite else self.engine.execution_options(isolation_level=ONE_LOOK)
        finalize(self, self.engine.dispose)  # psycopg warns of connections that are forgotten while they are open
        try:
            self._bring_up_to_date()
        except BaseException:
            self.close()
            raise
        self._file = Path(str(self.url.database)) if self.is_sqlite and not self.in_memory else None
        self._file_is = _identity(self._file)
        if self._file is not None:
            event.listen(self.engine, "do_connect", partial(_refuse_to_make_anew, self._file))

    @property
    def is_sqlite(self) -> bool:
        """Whether it is SQLite rather than PostgreSQL."""
        return self.url.get_backend_name() == "sqlite"

    def write(self, step: Callable[[Writing], Answer], patience: float | None = None) -> Answer:
        """Run a step in one write transaction, and again while the database is away: it must bear being done twice.

        Other threads of this process wait, so that no step overtakes another.
        """

        def attempt() -> Answer:
            self._look_for_file()
            with self._explained(), self._begin() as connection:
                return step(connection)

        with self.lock.held():
            return self.waiting.out(attempt, patience)

    def read(self, look: Callable[[], Answer], patience: float | None = None) -> Answer:
        """Return what `look`, which calls `reading`, finds, in the end, where the database is away."""
        return self.waiting.out(look, patience)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One write transaction, tried once: committed at the end, undone by an exception."""
        with self.lock.held(), self._explained(), self._writer.begin() as connection:
            yield connection

    def exclusively(self, connection: Connection) -> None:
        """Keep other processes' openings out until this write transaction ends."""
        if not self.is_sqlite:  # there, BEGIN IMMEDIATE has already done so
            connection.execute(select(func.pg_advisory_xact_lock(PG_LOCK)))

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent look at the database, tried once; only in memory does it wait for writers."""
        turn = self.lock.held() if self.in_memory else nullcontext()
        with turn, self._explained(), self._reader.connect() as connection:
            yield connection

    def _bring_up_to_date(self) -> None:
        with self.reading() as connection:
            current = is_current(connection)
        if not current:
            with self.writing() as connection:
                self.exclusively(connection)
                upgrade(connection)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            if error.connection_invalidated and not self.in_memory:
                self.engine.dispose()  # the other connections are lost as well
            raise explained(self.place, error) from error

    def _look_for_file(self) -> None:
        """Notice that a SQLite file is gone or another one: an open connection would write into what nobody reads."""
        there = _identity(self._file)
        if there == self._file_is:
            return
        if there is None:
            raise DatabaseAway(f"{self.place}: its file was moved or deleted; put it back")
        self.engine.dispose()
        self._file_is = there

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()


@cache
def upsert(
    dialect: str,
    table: Table,
    keys: tuple[str, ...],
    columns: tuple[str, ...],
    only_if: ColumnElement[bool] | None = None,
    returning: Column[Any] | None = None,
) -> Executable:
    """Return the statement that inserts a row of these columns, or updates the one with the same keys."""
    insert = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    changes = {name: insert.excluded[name] for name in columns if name not in keys}
    statement = insert.on_conflict_do_update(index_elements=keys, set_=changes, where=only_if)
    return statement if returning is None else statement.returning(returning)


def _url(address: str | Path) -> URL:
    text = str(address)
    if "://" not in text:
        return URL.create("sqlite", database=text)
    try:
        url = make_url(text)
        backend = url.get_backend_name()
    except (ArgumentError, NoSuchModuleError):
        backend = text.split(":")[0]
    if backend not in ("sqlite", "postgresql", "postgres"):
        raise LedgerError(f"results database: {backend}; allowed are a path, sqlite:///… and postgresql+psycopg://…")
    return url if backend == "sqlite" else url.set(drivername="postgresql+psycopg")


def _identity(path: Path | None) -> tuple[int, int] | None:
    """Return what tells a file from another under the same name; None where there is none."""
    if path is None:
        return None
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _refuse_to_make_anew(path: Path, *_: object) -> None:
    """Keep SQLite from making an empty file where ours was taken away while it was open."""
    if _identity(path) is None:
        error = sqlite3.OperationalError("unable to open database file")
        error.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
        raise error


def _prepare_file(path: Path, create: bool) -> None:
    if not create and not path.exists():
        raise LedgerError(
            f"results database {path}: there is none; run `nasengine search` first, or name one with --db"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerError(
            f"results database {path}: {error.strerror}; name a folder you can write with --db"
        ) from error


def _engine(url: URL, in_memory: bool) -> Engine:
    options: dict[str, Any] = {"json_serializer": _AS_JSON}
    if url.get_backend_name() == "sqlite":
        options["json_deserializer"] = _of_json
    if in_memory:
        options |= {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
    if url.get_backend_name() == "postgresql":
        given = {name: value for name, value in PG_CONNECT.items() if name not in url.query}
        options |= {"pool_pre_ping": True, "connect_args": given}
    try:
        engine = create_engine(url, **options)
    except ModuleNotFoundError as error:
        text = f"results database: {error.name} is not installed; `pip install 'nasengine[postgres]'` brings it"
        raise LedgerError(text) from error
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _of_json(text: str) -> Any:
    """What `json.loads` gives, which takes twice as long for the short texts that are in here."""
    try:
        value, end = _READ_JSON(text)
        return value if end == len(text) else json.loads(text)
    except ValueError:
        return json.loads(text)


def _set_up_sqlite(connection: Any, record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves: sqlite3 would leave reading and DDL outside
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # a transaction that reads before it writes fails at once, without busy_timeout, unless it is IMMEDIATE
    writing = connection.get_execution_options().get("nas_writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
