"""One trained search as it is compared: how good its best was after which cost, and what its choice reached."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from sqlalchemy import select

from nasengine.errors import NasError
from nasengine.job import Json
from nasengine.ledger import Ledger
from nasengine.ledger.tables import trials
from nasengine.retrained import tested
from nasengine.search.objective import Goal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Column = NDArray[np.float64]

By = Literal["cost", "trials", "time"]
WAYS: tuple[By, ...] = ("cost", "trials", "time")
ENDED = ("complete", "pruned", "failed")


@dataclass(frozen=True)
class Event:
    """One candidate that ended: what it took, when, and its value (larger is better), where that counts."""

    core_seconds: float
    gpu_seconds: float
    at: datetime | None
    value: float | None


@dataclass(frozen=True)
class Member:
    """One search: its facts, its candidates in the order in which they ended, and the test figure of its choice."""

    search: Json
    events: Sequence[Event]
    tests: Mapping[str, float]
    reused: int  # candidates that were answered from an earlier training
    other: Event | None  # the supernet it trained, which has no value of a network

    @property
    def name(self) -> str:
        """The search's name."""
        return str(self.search["name"])

    @property
    def seed(self) -> int:
        """Its seed."""
        return int(self.search["seed"] or 0)

    @property
    def uses_gpu(self) -> bool:
        """Whether anything of it was trained on a GPU."""
        return any(one.gpu_seconds for one in (*self.events, *([self.other] if self.other else [])))

    @property
    def test(self) -> float | None:
        """The test figure of the chosen network."""
        return self.tests[tested(self.tests)] if self.tests else None

    @property
    def goal(self) -> Goal:
        """What it aimed at."""
        return Goal.from_json(self.search["goal"])

    def spent(self, by: By) -> "Column":
        """What had been spent when each candidate ended: seconds of GPUs, else of cores; candidates; seconds."""
        if by == "trials":
            return np.arange(1, len(self.events) + 1, dtype=np.float64)
        if by == "time":
            began = self.search["created"]
            return np.array([((one.at or began) - began).total_seconds() for one in self.events])
        return np.cumsum([one.gpu_seconds if self.uses_gpu else one.core_seconds for one in self.events])

    @cached_property
    def best(self) -> "Column":
        """The best value after each candidate; NaN until there is one."""
        values = np.array([np.nan if one.value is None else one.value for one in self.events], dtype=np.float64)
        return np.fmax.accumulate(values) if len(values) else values

    def total(self, by: By) -> float:
        """What its candidates took together."""
        spent = self.spent(by)
        return float(spent[-1]) if len(spent) else 0.0

    def after(self, by: By, points: "Column") -> "Column":
        """The best value after so much was spent; NaN before the first and beyond the last."""
        spent = self.spent(by)
        if not len(spent):
            return np.full(len(points), np.nan)
        places = np.searchsorted(spent, points + 1e-9, side="right") - 1
        found = np.where(places >= 0, self.best[np.maximum(places, 0)], np.nan)
        return np.where(points > spent[-1] + 1e-9, np.nan, found)


def read(ledger: Ledger, name: str) -> Member:
    """Read one search. Raises NasError for a record that is no search of candidates or gates."""
    search = ledger.search(name)
    rows = ledger.results(name)
    if not any(row["kind"] in ("candidate", "supernet") and row["state"] in ENDED for row in rows):
        raise NasError(
            f"compare {name}: nothing of it has ended that could be compared (strategy {search['strategy']}, state "
            f"{search['state']}); `nasengine train` says how far seeds of trainings differ"
        )
    with ledger.database.reading() as connection:
        mine = select(trials.c.id, trials.c.finished, trials.c.told_order).where(trials.c.search_id == search["id"])
        times = {row.id: row for row in connection.execute(mine)}
    candidates = [row for row in rows if row["kind"] == "candidate" and row["state"] in ENDED]
    candidates.sort(key=lambda row: (times[row["id"]].finished or datetime.max, row["trial"]))
    supernet = next((row for row in rows if row["kind"] == "supernet" and row["state"] in ENDED), None)
    best = next((row for row in rows if row["best"] and row["kind"] == "final"), None)
    values = {} if best is None else {key: value for key, value in best["values"].items() if key.startswith("test_")}
    return Member(
        search, [_event(row, times[row["id"]].finished) for row in candidates], values,
        sum(row["reused_from"] is not None for row in candidates),
        None if supernet is None else _event(supernet, times[supernet["id"]].finished),
    )  # fmt: skip


def _event(row: Mapping[str, Any], at: datetime | None) -> Event:
    cost = row["cost"]
    value = row["value"] if row["state"] == "complete" else None
    return Event(cost.get("core_seconds", row["seconds"] or 0.0), cost.get("gpu_seconds", 0.0), at, value)
