"""The commands that keep results safe, together and small: backup, merge, prune."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from nasengine.console.flags import named
from nasengine.console.output import emit, say, table
from nasengine.errors import LedgerError
from nasengine.ledger import Ledger
from nasengine.operations import backup as copy
from nasengine.operations import merge as bring
from nasengine.operations import prune as free


def backup(file: str, db: str) -> None:
    """Copy a database into a file."""
    with Ledger(named(db), create=False) as ledger:
        made = copy(ledger, Path(file))
        searches = len(ledger.searches())
    say(
        f"{made}: {size(made.stat().st_size)}, {searches} searches; it is sound. Weights lie beside the database still."
    )


def merge(databases: Sequence[str], db: str | None, json: bool) -> None:
    """Bring the searches of every database after the first into that, or all of them into `db`."""
    target, *sources = databases if db is None else (db, *databases)
    if not sources:
        raise LedgerError(f"merge: {target} alone came; name the database to add as well: merge A.db B.db")
    rows = []
    for source in sources:
        with Ledger(named(source), create=False) as there, Ledger(named(target), create=db is not None) as here:
            rows += [{"from": source, **asdict(one)} for one in bring(here, there)]
    if json:
        emit(rows)
    elif rows:
        table(
            ["from", "kind", "name", "now", ""], [(r["from"], r["kind"], r["name"], r["now"], r["done"]) for r in rows]
        )
    else:
        say(f"{', '.join(sources)}: no search is recorded there")


def prune(name: str | None, keep: int, dry_run: bool, db: str, json: bool) -> None:
    """Remove weights and checkpoints that nobody needs, and say what that freed."""
    with Ledger(named(db), create=False) as ledger:
        freed = free(ledger, name, keep=keep, dry_run=dry_run)
    if json:
        emit([asdict(one) for one in freed])
        return
    if not freed:
        say(f"{name or 'the searches'} in {db}: nothing to remove")
        return
    rows = [(one.search, one.weights, one.checkpoints, size(one.bytes)) for one in freed]
    files = sum(one.weights for one in freed), sum(one.checkpoints for one in freed)
    whole = (f"{len(rows)} searches", *files, size(sum(one.bytes for one in freed)))
    columns = ["search", "weights", "checkpoints", "would be freed" if dry_run else "freed"]
    table(columns, [*rows, whole] if len(rows) > 1 else rows, right=columns[1:])


def size(count: float) -> str:
    """Bytes as a person says them: 512 B, 3.4 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
