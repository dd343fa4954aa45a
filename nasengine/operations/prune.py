"""Files that searches left and nobody needs any more: weights of all but the best candidates, and old checkpoints."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import update

from nasengine.errors import LedgerError
from nasengine.job import Json
from nasengine.ledger import Ledger
from nasengine.ledger.integrity import ENDED
from nasengine.ledger.queries import value_of
from nasengine.ledger.tables import trials
from nasengine.operations.files import file_of
from nasengine.runs import run_folder

KEEP = 5


@dataclass(frozen=True)
class Pruned:
    """What was freed in one search: files and their bytes."""

    search: str
    weights: int
    checkpoints: int
    bytes: int


def prune(ledger: Ledger, name: str | None = None, *, keep: int = KEEP, dry_run: bool = False) -> list[Pruned]:
    """Remove the weights of all but the best `keep` candidates of each ended search, and checkpoints of ended trials.

    Weights of final networks and supernets stay, and those that another trial inherited or answers with, and all of a
    search that may go on. The database forgets the names of what is gone. With `dry_run` nothing is changed.
    """
    if keep < 0:
        raise LedgerError(f"prune: keep={keep} came; a whole number from 0 on is allowed")
    known = ledger.searches()
    chosen = [ledger.search(name)] if name is not None else known
    if name is not None and chosen[0]["driven"]:
        raise LedgerError(f"prune: {name} is being searched now; let it end or stop it, then prune")
    rows: dict[str, list[Json]] = {search["name"]: [] for search in known}
    for row in ledger.results():
        row["file"] = file_of(ledger, row["search"], row["weights"])
        rows[row["search"]].append(row)
    ended = {search["name"] for search in chosen if search["state"] in ("complete", "failed")}
    needed = {
        file for one in known for file in _needed(ledger, rows[one["name"]], keep if one["name"] in ended else None)
    }
    done = []
    for search in chosen:
        if not search["driven"]:
            mine = rows[search["name"]]
            spare = [row for row in mine if row["file"] is not None and row["file"] not in needed]
            done.append(_free(ledger, search["name"], spare, list(_checkpoints(ledger, search, mine)), dry_run))
            needed |= {row["file"] for row in spare}  # counted once, whoever else has it
    return [one for one in done if one.bytes]


def _needed(ledger: Ledger, rows: list[Json], keep: int | None) -> Iterator[Path]:
    """The files that a search's trials still need; all of them where `keep` is None."""
    done = [
        row for row in rows if row["kind"] == "candidate" and row["state"] == "complete" and row["file"] is not None
    ]
    ranked = sorted((row for row in done if value_of(row) is not None), key=value_of, reverse=True)
    kept = rows if keep is None else [*ranked[:keep], *(row for row in rows if row["kind"] != "candidate")]
    yield from (row["file"] for row in kept if row["file"] is not None)
    for row in rows:
        for file, *_ in (row["lineage"] or {}).get("inherit", {}).values():
            found = file_of(ledger, row["search"], file)
            if found is not None:
                yield found


def _checkpoints(ledger: Ledger, search: Json, rows: list[Json]) -> Iterator[Path]:
    """The checkpoints of a search that will not go on, or of those of its trials that have ended."""
    ended = {f"trial-{row['trial']}" for row in rows if row["kind"] == "candidate" and row["state"] in ENDED}
    beside = {row["file"].parents[1] for row in rows if row["file"] is not None}  # --files puts them elsewhere
    for folder in sorted({run_folder(ledger, search["name"]).resolve(), *beside}):
        for path in sorted((folder / "checkpoints").glob("*")):
            if path.is_file() and (search["state"] == "complete" or path.name.split(".")[0] in ended):
                yield path


def _free(ledger: Ledger, search: str, spare: list[Json], checkpoints: list[Path], dry_run: bool) -> Pruned:
    files = {row["file"] for row in spare}
    size = sum(path.stat().st_size for path in (*files, *checkpoints))
    if not dry_run:
        names: set[Any] = {row["weights"] for row in spare}
        with ledger.database.writing() as connection:  # first, so that no row ever names a file that is gone
            for weights in names:
                connection.execute(update(trials).where(trials.c.weights == weights).values(weights=None))
        for path in (*files, *checkpoints):
            path.unlink(missing_ok=True)
    return Pruned(search, len(files), len(checkpoints), size)
