"""The searches and comparisons of one results database brought into another, with the weights that belong to them."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, select

from nasengine.errors import LedgerError
from nasengine.job import Json
from nasengine.ledger import Ledger
from nasengine.ledger.copying import Ids, copy_bench, copy_search, ids_of, link
from nasengine.ledger.integrity import ENDED
from nasengine.ledger.ledger import FIXED
from nasengine.ledger.tables import benches, searches, trials
from nasengine.operations.files import file_of
from nasengine.runs import run_folder


@dataclass(frozen=True)
class Merged:
    """What became of one search or comparison: its name before and now, and what was done, in words."""

    name: str
    now: str
    done: str
    kind: str = "search"


@dataclass
class _Files:
    """A search's files, copied beside the other database; taken back when its rows could not be written."""

    source: Ledger
    target: Ledger
    name: str
    names: Mapping[str, str]  # of searches, before and now
    made: list[Path] = field(default_factory=list)

    def moved(self, path: str | None) -> str | None:
        """Copy a file that lies beside the database; others, and what is gone, keep their names."""
        here = file_of(self.source, self.name, path)
        folder = run_folder(self.source, self.name).resolve().parent
        if here is None or not here.is_relative_to(folder):
            return path
        search, *rest = here.relative_to(folder).parts
        there = run_folder(self.target, self.names.get(search, search)).joinpath(*rest)
        if there.resolve() != here and not there.exists():
            there.parent.mkdir(parents=True, exist_ok=True)
            self.made.append(there)
            shutil.copy2(here, there)
        return str(there)

    @contextmanager
    def kept(self) -> Iterator[Callable[[str | None], str | None]]:
        try:
            yield self.moved
        except BaseException:
            for path in self.made:
                path.unlink(missing_ok=True)
            raise


def merge(target: Ledger, source: Ledger) -> list[Merged]:
    """Copy all searches and comparisons of `source` into `target`, with their weights; `source` is not changed.

    One that is there already, of the same moment, command and facts, is brought up to the more complete of both;
    another one of the same name becomes NAME-2, …. One search is one transaction. Raises LedgerError where a search
    is running, on either side, and where both are the same database.
    """
    if _place(source) == _place(target):
        raise LedgerError(f"merge: {_place(source)} came twice; name two databases")
    running = [row["name"] for ledger in (source, target) for row in ledger.searches() if row["driven"]]
    if running:
        raise LedgerError(f"merge: {', '.join(running)} is being searched now; let it end or stop it, then merge")
    done: list[Merged] = []
    ids: Ids = {}
    with source.database.reading() as old:
        for row in old.execute(select(searches).order_by(searches.c.id)).mappings().all():
            names = {one.name: one.now for one in done}
            done.append(_merge_search(source, target, old, dict(row), ids, names))
        with target.database.writing() as new:
            link(old, new, ids)
        for row in old.execute(select(benches).order_by(benches.c.id)).mappings().all():
            done.append(_merge_bench(target, old, dict(row)))
    return done


def _place(ledger: Ledger) -> str:
    url = ledger.database.url
    return str(Path(str(url.database)).resolve()) if ledger.database.is_sqlite else url.render_as_string()


def _merge_search(
    source: Ledger, target: Ledger, old: Connection, row: Json, ids: Ids, names: dict[str, str]
) -> Merged:
    with target.database.reading() as new:
        there = {known["name"]: dict(known) for known in new.execute(select(searches)).mappings()}
        name = _name_for(row, there, _same_search)
        known = there.get(name)
        mine, theirs = _ended(old, row["id"]), 0 if known is None else _ended(new, known["id"])
        if known is not None and mine <= theirs:
            keys = ids_of(new, known["id"])
            ids |= {one: keys[key] for key, one in ids_of(old, row["id"]).items() if key in keys}
            return Merged(row["name"], name, f"there already, with {theirs} results; left as it is")
    files = _Files(source, target, row["name"], {**names, row["name"]: name})
    with files.kept() as moved, target.database.writing() as new:
        copied = copy_search(old, new, row, name, moved)
    ids |= copied
    if known is not None:
        return Merged(row["name"], name, f"there already, with {theirs} results; brought up to {mine}")
    return Merged(row["name"], name, f"copied, with {mine} results" + _renamed(row["name"], name))


def _merge_bench(target: Ledger, old: Connection, row: Json) -> Merged:
    with target.database.writing() as new:
        there = {known["name"]: dict(known) for known in new.execute(select(benches)).mappings()}
        name = _name_for(row, there, lambda known, came: known["facts"] == came["facts"])
        added = copy_bench(old, new, row, name)
    words = f"{'there already; ' if name in there else ''}{added} runs copied"
    return Merged(row["name"], name, words + _renamed(row["name"], name), "bench")


def _renamed(before: str, now: str) -> str:
    return "" if now == before else f"; another one is called {before} there, so it is {now} now"


def _name_for(row: Json, there: Mapping[str, Json], same: Callable[[Json, Json], bool]) -> str:
    """Its own name where that is free or stands for the same, or else the first of NAME-2, -3, … that does."""
    name, number = row["name"], 1
    while name in there and not same(there[name], row):
        number += 1
        name = f"{row['name']}-{number}"
    return str(name)


def _same_search(known: Json, came: Json) -> bool:
    return all(known[fact] == came[fact] for fact in ("created", "command", *FIXED))


def _ended(connection: Connection, search_id: int) -> int:
    query = select(trials.c.id).where(trials.c.search_id == search_id, trials.c.state.in_(ENDED))
    return len(connection.execute(query).all())
