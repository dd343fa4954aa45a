"""Write transactions of SQLite through its own driver, for the statements that a search repeats a thousand times.

SQLAlchemy compiles each statement and says how values are bound, once; its own way of executing it takes ten times as
long as SQLite. Connections are the pool's, and errors are SQLAlchemy's.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from sqlalchemy import ClauseElement, Dialect, Engine
from sqlalchemy.exc import DBAPIError

Row = Mapping[str, Any]


class Answered(Protocol):
    """What a statement has come to."""

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""

    def scalar(self) -> Any:
        """The first column of the first row; None where there is no row."""


class Writing(Protocol):
    """What a step of a write transaction may ask of its connection: SQLAlchemy's own can do more."""

    def execute(self, statement: Any, parameters: Any = None, /) -> Answered:
        """Execute one statement, with the values of one row."""


class _Bound(NamedTuple):
    name: str
    otherwise: Any  # its value where the row has none
    processor: Callable[[Any], Any] | None


class _Cursor(sqlite3.Cursor):
    def scalar(self) -> Any:
        rows = self.fetchall()  # a statement with rows left would be in the way of the commit
        return rows[0][0] if rows else None


class Straight:
    """A write transaction on a pooled connection; values that are read come as SQLite has them."""

    def __init__(self, raw: sqlite3.Connection, dialect: Dialect) -> None:
        self._raw, self._dialect = raw, dialect

    def execute(self, statement: ClauseElement, parameters: Row | None = None, /) -> Answered:
        """Execute one statement, with the values of one row."""
        row = parameters or {}
        text, names = _compiled(statement, self._dialect, (*row,))
        values = [
            row.get(name, otherwise) if process is None else process(row.get(name, otherwise))
            for name, otherwise, process in names
        ]
        try:
            return self._raw.cursor(_Cursor).execute(text, values)
        except sqlite3.Error as error:
            raise DBAPIError.instance(text, None, error, sqlite3.Error) from error


@contextmanager
def straight_write(engine: Engine) -> Iterator[Straight]:
    """One write transaction of SQLite: committed at the end, undone by an exception."""
    pooled = engine.raw_connection()
    try:
        raw: Any = pooled.dbapi_connection
        raw.execute("BEGIN IMMEDIATE")
        yield Straight(raw, engine.dialect)
        engine.dialect.do_commit(pooled)
    except sqlite3.Error as error:
        raise DBAPIError.instance("BEGIN or COMMIT", None, error, sqlite3.Error) from error
    finally:
        pooled.close()  # the pool rolls back what was not committed


@lru_cache(maxsize=256)
def _compiled(statement: ClauseElement, dialect: Dialect, given: tuple[str, ...]) -> tuple[str, tuple[_Bound, ...]]:
    """A statement's text for a row with these names, and what is bound to its question marks."""
    compiled: Any = statement.compile(dialect=dialect, column_keys=given)
    types = {name: parameter.type.dialect_impl(dialect) for name, parameter in compiled.binds.items()}
    bound = (
        _Bound(name, compiled.params[name], types[name].bind_processor(dialect)) for name in compiled.positiontup or ()
    )
    return str(compiled), (*bound,)
