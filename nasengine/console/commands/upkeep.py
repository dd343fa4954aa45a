"""The commands for what comes after a search, with their flags: retry, backup, merge, prune."""

from typing import Annotated

from cyclopts import Parameter

from nasengine.console.flags import DB, Db, Json

Failed = Annotated[bool, Parameter(help="All candidates that failed; so it is without any flag.")]
Numbers = Annotated[list[int] | None, Parameter(name="--trial", help="Only this candidate; may be given again.")]


def retry(name: str, /, *, failed: Failed = False, trial: Numbers = None, db: Db = DB) -> int:
    """Run the failed candidates of a search again, and go on with it by its recorded command."""
    from nasengine.console.retrying import retry as run

    return run(name, None if failed else trial, db)


def backup(file: str, /, *, db: Db = DB) -> None:
    """Copy the results database into one new SQLite file, also while searches run."""
    from nasengine.console.upkeeping import backup as run

    run(file, db)


def merge(
    *databases: str,
    db: Annotated[str | None, Parameter(help="Merge into this one, made where it is missing.")] = None,
    json: Json = False,
) -> None:
    """Bring the searches of B.db into A.db, with their weights: merge A.db B.db. B.db is not changed."""
    from nasengine.console.upkeeping import merge as run

    run(databases, db, json)


def prune(
    name: Annotated[str | None, Parameter(help="Only this search.")] = None,
    /,
    *,
    keep: Annotated[int, Parameter(help="Keep the weights of so many of the best candidates.")] = 5,
    dry_run: Annotated[bool, Parameter(help="Only say what would be removed.")] = False,
    db: Db = DB,
    json: Json = False,
) -> None:
    """Remove weights of all but the best candidates of each ended search, and checkpoints nobody needs."""
    from nasengine.console.upkeeping import prune as run

    run(name, keep, dry_run, db, json)


COMMANDS = (retry, backup, merge, prune)
