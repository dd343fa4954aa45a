"""What a search looks like at one moment, read from the results database alone."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from nasengine.job import COMPARED
from nasengine.ledger import Ledger
from nasengine.ledger.costs import total
from nasengine.search.objective import Goal

LATEST = 5  # ended trials that are shown
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Seen:
    """A search at one moment."""

    search: Row
    rows: Sequence[Row]
    phase: str  # supernet and final count epochs, candidates count trials
    done: int
    total: int | None
    curve: Sequence[Row]  # of the training that the phase is, else of the best network
    curves: Mapping[int, Sequence[Row]]  # of the supernet, of final networks and of trials that run, by their ids
    cost: Mapping[str, float]
    elapsed: float | None  # seconds since the search began; None where it ended
    goal: Goal = field(default_factory=lambda: Goal.from_json(None))

    @property
    def running(self) -> bool:
        """Whether its driver is there."""
        return bool(self.search["driven"])

    @property
    def best(self) -> Row | None:
        """The final network, or the best candidate so far."""
        return next((row for row in self.rows if row["best"]), None)

    @property
    def now(self) -> list[Row]:
        """The trials that run."""
        return [row for row in self.rows if row["state"] == "running"]

    @property
    def ended(self) -> list[Row]:
        """The trials that ended, in the order in which they began."""
        return [row for row in self.rows if row["state"] != "running"]

    @property
    def mark(self) -> tuple[Any, ...]:
        """What is different whenever there is something new to see."""
        epochs = [len(epochs) for epochs in (self.curve, *self.curves.values())]
        return self.search["state"], self.phase, self.done, len(self.rows), len(self.ended), tuple(epochs)

    def figures(self, row: Row) -> dict[str, float]:
        """The values of a trial that count: the goal's, or of a final network those on the test data."""
        tested = self.goal.first.replace("validation_", "test_")
        if row["kind"] == "final" and tested in row["values"]:
            return {tested: row["values"][tested]}
        found = {one.name: row["values"].get(one.name, row.get(one.name)) for one in self.goal.objectives}
        found = {name: value for name, value in found.items() if value is not None}
        return found or {name: one for name, one in row["values"].items() if name.endswith(COMPARED)}

    def to_json(self) -> dict[str, Any]:
        """What `watch --json` prints."""
        best = self.best
        return {
            "search": self.search["name"], "state": self.search["state"], "running": self.running,
            "phase": self.phase, "done": self.done, "total": self.total, "elapsed_seconds": self.elapsed,
            "trials": _tally(self.rows), "best": None if best is None else _short(best),
            "now": [_short(row) | {"epochs": len(self.curves[row["id"]])} for row in self.now],
            "last": [_short(row) for row in self.ended[-LATEST:]], "epoch": self.curve[-1] if self.curve else None,
            "cost": dict(self.cost),
        }  # fmt: skip


def _short(row: Row) -> dict[str, Any]:
    names = ("trial", "kind", "state", "value", "values", "params", "macs", "seconds", "error")
    return {name: row[name] for name in names}


def _tally(rows: Sequence[Row]) -> dict[str, int]:
    states = [row["state"] for row in rows]
    return {state: states.count(state) for state in dict.fromkeys(states)}


def look(ledger: Ledger, name: str) -> Seen:
    """The search as it is now."""
    search, rows = ledger.search(name), ledger.results(name)
    phase, training = _phase(rows)
    told = [row["id"] for row in rows if row["kind"] != "candidate" or row["state"] == "running"]
    curves = {number: ledger.epochs(number) for number in told}
    drawn = training or next((row for row in rows if row["best"]), None)
    curve: Sequence[Row] = () if drawn is None else curves.get(drawn["id"]) or ledger.epochs(drawn["id"])
    if phase == "candidates":
        ended = [row for row in rows if row["kind"] == "candidate" and row["state"] in ("complete", "pruned", "failed")]
        done, most = len(ended), search["trials"]
    else:
        done, most = len(curve), training["recipe"].get("epochs") if training and training["recipe"] else None
    began = search["created"].replace(tzinfo=UTC)
    elapsed = (datetime.now(UTC) - began).total_seconds() if search["driven"] else None
    cost = total(rows, ledger.remarks(name))
    return Seen(search, rows, phase, done, most, curve, curves, cost, elapsed, Goal.from_json(search["goal"]))


def _phase(rows: Sequence[Row]) -> tuple[str, Row | None]:
    """What the search is at, and its trial where that is one training."""
    for kind in ("final", "supernet"):
        found = [row for row in rows if row["kind"] == kind]
        if found and (kind == "final" or all(row["kind"] == kind for row in rows)):
            return kind, found[-1]
    return "candidates", None


class Pace:
    """How fast a phase goes, by what was seen of it."""

    def __init__(self) -> None:
        self.phase, self.first, self.since = "", 0, 0.0

    def left(self, seen: Seen) -> float | None:
        """Seconds that the phase will still take; None where nothing is known."""
        now = time.monotonic()
        if seen.phase != self.phase:
            self.phase, self.first, self.since = seen.phase, seen.done, now
        if not seen.running or seen.total is None:
            return None
        rest = max(seen.total - seen.done, 0)
        if seen.done - self.first >= 2:
            return (now - self.since) / (seen.done - self.first) * rest
        times = [row["seconds"] for row in seen.ended if row["kind"] == "candidate" and row["seconds"]]
        if seen.phase == "candidates" and times:
            return sum(times) / len(times) * rest / max(len(seen.now), 1)
        times = [epoch["seconds"] for epoch in seen.curve if epoch.get("seconds")]
        return sum(times) / len(times) * rest if times else None
