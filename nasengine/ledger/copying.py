"""Searches and comparisons carried from one database into another: all their rows, under the ids of the new place."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select, update

from nasengine.job import Json
from nasengine.ledger.tables import (
    artifacts,
    bench_runs,
    benches,
    epochs,
    gates,
    proposals,
    remarks,
    searches,
    trials,
)

Moved = Callable[[str | None], str | None]  # where a file is in the new place
Ids = dict[int, int]  # a trial's id in the old database -> in the new one
Key = tuple[int, str]  # a trial's number and kind


def copy_search(source: Connection, target: Connection, row: Mapping[str, Any], name: str, moved: Moved) -> Ids:
    """Write a search and all that belongs to it under this name, over one of that name that is less complete.

    Trials that are there keep their ids. `reused_from` is left to `link`.
    """
    old, new = row["id"], _put_search(target, row, name)
    target.execute(update(trials).where(trials.c.search_id == new).values(told_order=None))
    for table in (proposals, remarks):
        target.execute(delete(table).where(table.c.search_id == new))
        _insert(target, table, [{**one, "search_id": new} for one in _rows(source, table, table.c.search_id == old)])
    known = ids_of(target, new)
    ids: Ids = {}
    for trial in _rows(source, trials, trials.c.search_id == old):
        ids[trial["id"]] = _put_trial(target, trial, new, known.get((trial["number"], trial["kind"])), moved)
    for table in (epochs, gates, artifacts):
        target.execute(delete(table).where(table.c.trial_id.in_(select(trials.c.id).where(trials.c.search_id == new))))
        found = source.execute(select(table).join(trials).where(trials.c.search_id == old)).mappings()
        rows = [{**one, "trial_id": ids[one["trial_id"]]} for one in found]
        _insert(target, table, [{**one, "path": moved(one["path"])} for one in rows] if table is artifacts else rows)
    return ids


def link(source: Connection, target: Connection, ids: Ids) -> None:
    """Say of each copied trial which copied trial answered for it."""
    query = select(trials.c.id, trials.c.reused_from).where(trials.c.reused_from.is_not(None))
    for trial_id, answered in source.execute(query).all():
        if trial_id in ids and answered in ids:
            target.execute(update(trials).where(trials.c.id == ids[trial_id]).values(reused_from=ids[answered]))


def ids_of(connection: Connection, search_id: int) -> dict[Key, int]:
    """Return the ids of a search's trials, by number and kind."""
    query = select(trials.c.number, trials.c.kind, trials.c.id).where(trials.c.search_id == search_id)
    return {(number, kind): trial_id for number, kind, trial_id in connection.execute(query)}


def copy_bench(source: Connection, target: Connection, row: Mapping[str, Any], name: str) -> int:
    """Write a comparison under this name, or what one of that name lacks; returns how many runs were added."""
    new = target.execute(select(benches.c.id).where(benches.c.name == name)).scalar()
    if new is None:
        new = target.execute(
            insert(benches).values({**_without_id(row), "name": name}).returning(benches.c.id)
        ).scalar()
    there = {(run["strategy"], run["seed"]) for run in _rows(target, bench_runs, bench_runs.c.bench_id == new)}
    runs = _rows(source, bench_runs, bench_runs.c.bench_id == row["id"])
    missing = [run for run in runs if (run["strategy"], run["seed"]) not in there]
    _insert(target, bench_runs, [{**run, "bench_id": new} for run in missing])
    return len(missing)


def _put_search(target: Connection, row: Mapping[str, Any], name: str) -> int:
    facts = {**_without_id(row), "name": name}
    known = target.execute(select(searches.c.id).where(searches.c.name == name)).scalar()
    if known is None:
        return target.execute(insert(searches).values(facts).returning(searches.c.id)).scalar_one()
    target.execute(update(searches).where(searches.c.id == known).values(facts))
    return int(known)


def _put_trial(target: Connection, row: Json, search_id: int, known: int | None, moved: Moved) -> int:
    lineage = row["lineage"]
    if lineage and "inherit" in lineage:
        inherit = {place: [moved(file), *rest] for place, (file, *rest) in lineage["inherit"].items()}
        lineage = {**lineage, "inherit": inherit}
    facts = {**_without_id(row), "search_id": search_id, "lineage": lineage, "reused_from": None}
    facts["weights"] = moved(row["weights"])
    if known is None:
        return target.execute(insert(trials).values(facts).returning(trials.c.id)).scalar_one()
    target.execute(update(trials).where(trials.c.id == known).values(facts))
    return known


def _rows(connection: Connection, table: Table, mine: Any) -> list[Json]:
    query = select(table).where(mine).order_by(*table.primary_key.columns)
    return [dict(row) for row in connection.execute(query).mappings()]


def _insert(target: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        keep_id = "trial_id" in table.primary_key.columns
        target.execute(insert(table), [dict(row) if keep_id else _without_id(row) for row in rows])


def _without_id(row: Mapping[str, Any]) -> Json:
    return {name: value for name, value in row.items() if name != "id"}
