"""SQLite's own way of writing: the rows that SQLAlchemy would write, its errors, and nothing of what is undone."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from nasengine.ledger.database import Database, upsert
from nasengine.ledger.straight import straight_write
from nasengine.ledger.tables import remarks, searches, trials

CREATED = datetime(2026, 2, 3, 4, 5, 6, 789)
SEARCH: dict[str, Any] = {"id": 1, "name": "ä", "created": CREATED, "state": "running", "space": "s", "strategy": "r"}
TRIAL: dict[str, Any] = {
    "search_id": 1, "number": 0, "kind": "candidate", "state": "running", "architecture": {"op": ["ä", None, 0.1]},
    "values": None, "seconds": 0.1, "seed": 2**40, "started": CREATED, "finished": None, "reuse_key": "k",
}  # fmt: skip
RENAME = update(searches).where(searches.c.id == bindparam("of"), searches.c.state == "running").values(state="stopped")


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = Database(tmp_path / "x.db")
    with database.writing() as connection:
        connection.execute(insert(searches), SEARCH)
    return database


def rows(database: Database) -> list[dict[str, Any]]:
    with database.reading() as connection:
        return [dict(row) for table in (searches, trials) for row in connection.execute(select(table)).mappings()]


def test_it_writes_what_sqlalchemy_writes(database: Database) -> None:
    statement = upsert("sqlite", trials, ("search_id", "number", "kind"), (*TRIAL,), returning=trials.c.id)

    def step(connection: Any) -> tuple[Any, ...]:
        key = connection.execute(statement, TRIAL).scalar()
        again = connection.execute(statement, {**TRIAL, "values": {"a": 1}}).scalar()
        found = connection.execute(RENAME, {"of": 1}).rowcount, connection.execute(RENAME, {"of": 1}).rowcount
        return key, again, found, connection.execute(select(trials.c.seed), {}).scalar()

    with database.writing() as connection:
        plain = step(connection)
    written = rows(database)
    with database.writing() as connection:
        connection.execute(delete(searches))
        connection.execute(insert(searches), SEARCH)
    with straight_write(database.engine) as straight:
        assert step(straight) == plain == (1, 1, (1, 0), 2**40)
    assert rows(database) == written


def test_nothing_stays_of_what_an_error_ended(database: Database) -> None:
    before = rows(database)
    with pytest.raises(ZeroDivisionError), straight_write(database.engine) as straight:
        straight.execute(RENAME, {"of": 1})
        _ = 1 / 0
    with pytest.raises(IntegrityError, match="UNIQUE"), straight_write(database.engine) as straight:
        straight.execute(RENAME, {"of": 1})
        straight.execute(insert(searches), {**SEARCH, "id": 2})
    assert rows(database) == before


def test_what_is_not_given_is_null_or_an_error(database: Database) -> None:
    row = {"search_id": 1, "number": 3, "kind": "note", "text": "said", "values": {}}
    with pytest.raises(IntegrityError, match="NOT NULL"), straight_write(database.engine) as straight:
        straight.execute(insert(remarks), row)
    with straight_write(database.engine) as straight:
        straight.execute(insert(remarks), {**row, "created": CREATED})
    with database.reading() as connection:
        (said,) = connection.execute(select(remarks)).mappings()
    assert dict(said) == {**row, "id": 1, "created": CREATED}
