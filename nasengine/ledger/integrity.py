"""Whether a database is sound: the file itself, and the proposals, results and told order of each search."""

from collections.abc import Iterator

from sqlalchemy import Connection, Table, func, literal, select, text

from nasengine.ledger.database import Database
from nasengine.ledger.tables import proposals, searches, trials

ENDED = ("complete", "pruned", "failed")  # the states of a trial that has a result


def check(database: Database) -> list[str]:
    """Return every fault found, one sentence each; an empty list is a sound database."""
    with database.reading() as connection:
        faults = [*_of_the_file(connection)] if database.is_sqlite else []
        for search_id, name in connection.execute(select(searches.c.id, searches.c.name).order_by(searches.c.id)).all():
            faults += [f"search {name}: {fault}" for fault in _of_a_search(connection, search_id)]
    return faults


def _of_the_file(connection: Connection) -> Iterator[str]:
    for line in connection.execute(text("PRAGMA integrity_check")).scalars():
        if line != "ok":
            yield f"integrity check: {line}"
    for table, row, parent, _ in connection.execute(text("PRAGMA foreign_key_check")):
        yield f"integrity check: row {row} of {table} belongs to a row of {parent} that is not there"


def _of_a_search(connection: Connection, search_id: int) -> Iterator[str]:
    yield from _twice(connection, proposals, search_id)
    yield from _twice(connection, trials, search_id)
    mine = (trials.c.search_id == search_id) & (trials.c.kind == "candidate")
    rows = connection.execute(select(trials.c.number, trials.c.state, trials.c.told_order).where(mine)).all()
    answered = {row.number for row in rows if row.state in ENDED}
    yield from (
        f"candidate {row.number} is {row.state} and yet was told as number {row.told_order}"
        for row in rows
        if row.told_order is not None and row.number not in answered
    )
    orders = sorted(row.told_order for row in rows if row.told_order is not None)
    if orders != list(range(len(orders))):
        yield f"{len(orders)} results were told, but not as numbers 0 to {len(orders) - 1}: {_short(orders)}"
    asked = select(proposals.c.number, proposals.c.state).where(proposals.c.search_id == search_id)
    states = {row.number: row.state for row in connection.execute(asked)}
    done = {number for number, state in states.items() if state == "done"}
    if done - answered:
        yield f"proposals {_short(sorted(done - answered))} are done, but have no result"
    left = answered & (states.keys() - done)
    if left:
        yield f"proposals {_short(sorted(left))} have a result, but are open"


def _twice(connection: Connection, table: Table, search_id: int) -> Iterator[str]:
    kind = table.c.kind if "kind" in table.c else literal("proposal")
    query = select(table.c.number, kind).where(table.c.search_id == search_id)
    for number, word in connection.execute(query.group_by(table.c.number, kind).having(func.count() > 1)):
        yield f"{word} {number} is there more than once"


def _short(numbers: list[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:10])
    return shown if len(numbers) <= 10 else f"{shown}, … ({len(numbers)} in all)"
