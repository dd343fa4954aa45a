"""What searches found: lists of trials."""

from collections.abc import Mapping
from typing import Any

from nasengine.console.costs import after_words
from nasengine.console.flags import named
from nasengine.console.output import duration, emit, number, say, table
from nasengine.errors import LedgerError
from nasengine.job import COMPARED
from nasengine.ledger import Ledger
from nasengine.ledger.collecting import uncollected
from nasengine.runs import Run

PARTS = ("test", "validation", "gate", "train")  # what is measured on; the first there is shown
MEASURES = tuple(f"{part}_{figure}" for part in PARTS for figure in COMPARED)


def run_of(name: str | None, db: str) -> Run:
    """The search of this name, or the newest one."""
    if name is None:
        found = Ledger(named(db), create=False).searches()
        if not found:
            raise LedgerError(f"{db}: no search is recorded there; begin one with `nasengine search`")
        name = str(found[-1]["name"])
    return Run(name, named(db))


@uncollected()
def results(name: str | None, db: str, json: bool) -> None:
    """List the trials of one search, or of all."""
    ledger = Ledger(named(db), create=False)
    rows = ledger.results(name)
    if json:
        emit(rows)
        return
    if not rows:
        say(f"{db} holds no results{f' of {name}' if name else ''} yet.")
        return
    shown = {measure.partition("_")[2] for row in rows if (measure := _measure(row)) is not None}
    figure = shown.pop() if len(shown) == 1 else "figure" if shown else "accuracy"
    columns = ["search", "trial", "kind", "state", figure, "measured on", "params", "macs", "time", "best"]
    table(columns, map(_row, rows), right=["trial", figure, "params", "macs", "time"])
    if name is not None and (words := after_words(ledger, name, rows)):
        say(f"\n{words}")


def _measure(row: Mapping[str, Any]) -> str | None:
    """The value that is shown of a trial, where it has one of those."""
    return next((name for name in MEASURES if row["values"].get(name) is not None), None)


def _row(row: Mapping[str, Any]) -> tuple[Any, ...]:
    measure = _measure(row)
    value = number(row["value"] if measure is None else row["values"][measure])
    on = measure.partition("_")[0] if measure else "the goal" if row["value"] is not None else ""
    figures = number(row["params"]), number(row["macs"]), duration(row["seconds"])
    return row["search"], row["trial"], row["kind"], row["state"], value, on, *figures, "*" if row["best"] else ""
