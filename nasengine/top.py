"""The best networks of a search: different ones, in the order of its goal."""

import json
from dataclasses import dataclass

from nasengine.ledger.queries import value_of
from nasengine.runs import Run
from nasengine.space import Architecture


@dataclass(frozen=True)
class Candidate:
    """One network of a search: its number there, and the value it was compared by, where it has them."""

    architecture: Architecture
    trial: int | None = None
    value: float | None = None


def top(run: Run, count: int) -> list[Candidate]:
    """So many of a search's networks, or all where it has fewer: the one that it chose, then the best by its goal.

    Of equal networks the best stands for all. Raises LedgerError where no network is complete.
    """
    rows = run.results()
    measured = [row for row in rows if row["kind"] == "candidate" and value_of(row) is not None]
    measured = [row for row in measured if row["stopped"] is None] or measured  # as a search chooses
    ranked = sorted(measured, key=value_of, reverse=True)
    finals = [row for row in rows if row["kind"] == "final" and row["state"] == "complete"]
    if not ranked and not finals:
        return [Candidate(run.best.architecture)]  # says what is missing
    chosen = (finals[-1]["lineage"] or {}).get("chosen_from") if finals else None
    first = [row for row in ranked if row["trial"] == chosen]
    found: dict[str, Candidate] = {}
    for row in [*first, *ranked] or finals[::-1]:
        number = row["trial"] if row["kind"] == "candidate" else None
        candidate = Candidate(Architecture.from_json(row["architecture"]), number, value_of(row))
        found.setdefault(row["digest"] or json.dumps(row["architecture"], sort_keys=True), candidate)
    return list(found.values())[:count]
