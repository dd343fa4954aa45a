"""Brings a database to the tables of this version when it is opened, and refuses one that is newer."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from nasengine.errors import LedgerError
from nasengine.ledger.tables import HEAD, PREFIX, VERSION_TABLE

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).with_name("migrations")


def include_name(name: str | None, kind: str, parents: object) -> bool:
    """Say whether alembic may look at it: without this, autogenerate proposes to drop Optuna's tables."""
    return kind != "table" or (name or "").startswith(PREFIX)


def is_current(connection: Connection) -> bool:
    """Say whether the database is at this version; the common case, which does not import alembic."""
    return _version(connection) == HEAD


def upgrade(connection: Connection) -> None:
    """Run the missing migrations inside the caller's transaction. Raises LedgerError for a newer database."""
    from alembic import command
    from alembic.script import ScriptDirectory

    settings = config(connection)
    found = _version(connection)
    known = {script.revision for script in ScriptDirectory.from_config(settings).walk_revisions()}
    if found is not None and found not in known:
        raise LedgerError(
            f"results database {connection.engine.url.render_as_string()}: written by a newer nasengine (version "
            f"{found}); this one knows versions up to {HEAD}; upgrade nasengine, or name another database with --db"
        )
    command.upgrade(settings, "head")


def config(connection: Connection) -> "Config":
    """Return alembic's configuration for one open connection."""
    from alembic.config import Config

    settings = Config()
    settings.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    settings.set_main_option("path_separator", "os")
    settings.attributes["connection"] = connection
    return settings


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
