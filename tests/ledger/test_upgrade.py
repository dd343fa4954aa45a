"""Migrations make exactly the tables that the code declares, beside Optuna's, and newer databases are refused."""

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from optuna.storages import RDBStorage
from sqlalchemy import create_engine, inspect, text

from nasengine.errors import LedgerError
from nasengine.ledger import Ledger
from nasengine.ledger.database import Database
from nasengine.ledger.tables import HEAD, VERSION_TABLE, metadata
from nasengine.ledger.upgrade import config, include_name

OPTIONS = {"version_table": VERSION_TABLE, "include_name": include_name, "render_as_batch": True}


def test_tables_equal_migrations_and_optuna_is_left_alone(url: str) -> None:
    storage = RDBStorage(url)
    theirs = set(inspect(storage.engine).get_table_names())
    database = Database(url)
    with database.reading() as connection:
        proposed = compare_metadata(MigrationContext.configure(connection, opts=OPTIONS), metadata)
        unfiltered = compare_metadata(MigrationContext.configure(connection), metadata)
        there = set(inspect(connection).get_table_names())
    assert proposed == []
    assert any(change[0] == "remove_table" for change in unfiltered), "the filter is what protects Optuna's tables"
    assert len(theirs) >= 12
    assert there == theirs | set(metadata.tables) | {VERSION_TABLE}
    assert all(name.startswith("nas_") for name in there - theirs)
    database.close()
    storage.remove_session()
    storage.engine.dispose()


def test_head_is_the_newest_migration(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/x.db")
    with engine.connect() as connection:
        assert ScriptDirectory.from_config(config(connection)).get_current_head() == HEAD
    engine.dispose()


def test_a_newer_database_is_refused(url: str) -> None:
    database = Database(url)
    with database.writing() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    database.close()
    with pytest.raises(LedgerError, match=r"written by a newer nasengine \(version 9999\).*upgrade nasengine"):
        Database(url)


def test_a_crash_while_the_tables_are_made_is_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fall(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("alembic.operations.Operations.create_table", fall)
        with pytest.raises(KeyboardInterrupt):
            Database(tmp_path / "x.db")
    database = Database(tmp_path / "x.db")
    with database.reading() as connection:
        assert set(metadata.tables) <= set(inspect(connection).get_table_names())
    database.close()


@pytest.mark.parametrize("version", ["0001", "0002", "0003"])
def test_a_database_of_an_earlier_version_is_brought_up_to_date(
    version: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(
            "nasengine.ledger.database.upgrade", lambda connection: command.upgrade(config(connection), version)
        )
        old = Database(url)
    with old.writing() as connection:
        connection.execute(
            text(
                "INSERT INTO nas_searches (id, name, created, state, space, strategy) "
                "VALUES (1, 'old', '2026-01-01', 'complete', 'darts', 'random-search')"
            )
        )
        connection.execute(
            text(
                'INSERT INTO nas_trials (search_id, number, kind, state, "values") '
                "VALUES (1, 0, 'candidate', 'complete', '{\"validation_accuracy\": 0.5}')"
            )
        )
    old.close()
    with Ledger(url) as ledger:
        best = ledger.best("old")
        assert best is not None
        assert (best["value"], best["values"]) == (0.5, {"validation_accuracy": 0.5})
        assert ledger.remarks("old") == []
        assert ledger.search("old")["words"] is None
