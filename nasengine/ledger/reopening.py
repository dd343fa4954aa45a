"""Trials that failed, put back among the open proposals, to run again when their search goes on."""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, RowMapping, select, update

from nasengine.errors import LedgerError
from nasengine.ledger.database import Database
from nasengine.ledger.lease import Lease
from nasengine.ledger.tables import proposals, searches, trials

STATES = ("failed", "pruned")  # of trials that may run again
# what a trial had when it ended; what it was to be stays
EMPTY = {
    **dict.fromkeys(("values", "value", "seconds", "error", "weights", "stopped", "cost", "told_order", "finished")),
    "state": "stopped",
}


def reopen(
    database: Database, lease: str, search_id: int, states: Sequence[str], numbers: Collection[int] | None
) -> list[int]:
    """Put a search's candidates in these states back to open, in one transaction; returns their numbers.

    Raises LedgerError for other states, for numbers without such a candidate, and while a driver writes the search.
    """
    unknown = [state for state in states if state not in STATES]
    if unknown:
        raise LedgerError(f"retry: {', '.join(unknown)}; trials in these states may run again: {', '.join(STATES)}")
    with database.writing() as connection:
        database.exclusively(connection)
        held = Lease(database, lease, connection)
        try:
            rows = _candidates(connection, search_id, states)
            missing = sorted(set(numbers or ()) - {row["number"] for row in rows})
            if missing:
                there = ", ".join(str(row["number"]) for row in rows) or "none"
                raise LedgerError(
                    f"{lease}: {', '.join(map(str, missing))}; {' or '.join(states)} are {there}; name one"
                )
            chosen = [row for row in rows if numbers is None or row["number"] in numbers]
            for row in chosen:
                _open(connection, row)
            if chosen:
                connection.execute(update(searches).where(searches.c.id == search_id).values(state="stopped"))
                _close_gaps(connection, search_id)
        except BaseException:
            held.abandon()
            raise
    held.release()
    return [row["number"] for row in chosen]


def _candidates(connection: Connection, search_id: int, states: Sequence[str]) -> Sequence[RowMapping]:
    mine = (trials.c.search_id == search_id) & (trials.c.kind == "candidate") & trials.c.state.in_(states)
    return connection.execute(select(trials).where(mine).order_by(trials.c.number)).mappings().all()


def _open(connection: Connection, row: RowMapping) -> None:
    before = {name: row[name] for name in ("error", "seconds", "cost", "state") if row[name] is not None}
    lineage = row["lineage"] or {}
    lineage = {**lineage, "failed_before": [*lineage.get("failed_before", ()), before]}
    connection.execute(update(trials).where(trials.c.id == row["id"]).values(**EMPTY, lineage=lineage))
    asked = (proposals.c.search_id == row["search_id"]) & (proposals.c.number == row["number"])
    connection.execute(update(proposals).where(asked).values(state="open"))


def _close_gaps(connection: Connection, search_id: int) -> None:
    """Number the results that were told anew; upwards, so that each new place is free."""
    told = (trials.c.search_id == search_id) & trials.c.told_order.is_not(None)
    query = select(trials.c.id, trials.c.told_order).where(told).order_by(trials.c.told_order)
    for order, (trial_id, before) in enumerate(connection.execute(query).all()):
        if order != before:
            connection.execute(update(trials).where(trials.c.id == trial_id).values(told_order=order))
