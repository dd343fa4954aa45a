"""What groups of trained searches amount to: curves at equal cost, figures, significance, and what to be wary of."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from nasengine.bench.significance import Pair
from nasengine.bench.statistics import bootstrapped
from nasengine.bench.wording import named
from nasengine.compare import doubts
from nasengine.compare.groups import Group
from nasengine.compare.members import By
from nasengine.compare.ranks import LEAST, pairs
from nasengine.errors import NasError
from nasengine.retrained import tested

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Column = NDArray[np.float64]

POINTS = 200  # of a curve


@dataclass(frozen=True)
class Curve:
    """The best value of a group's seeds after so much was spent: mean, 95 % band, and each seed (seeds, points)."""

    spent: "Column"
    mean: "Column"
    low: "Column"
    high: "Column"
    seeds: "Column"


@dataclass(frozen=True)
class Row:
    """The figures of one group; `equal` are the seeds' best values at the equal budget, `tests` their test figures."""

    label: str
    seeds: tuple[int, ...]
    searches: tuple[str, ...]
    budget: float | None  # what the cheapest of them spent
    equal: tuple[float, ...]
    tests: tuple[float, ...]


class Comparison:
    """Groups of seeds side by side, by what their candidates cost, by their number, or by the clock."""

    def __init__(self, groups: Sequence[Group], by: By):
        self.groups, self.by = groups, by
        goals = {group.label: member.goal for group in groups for member in group.members}
        if len({str(goal.to_json()) for goal in goals.values()}) > 1:
            told = "; ".join(f"{label}: {', '.join(map(str, goal.objectives))}" for label, goal in goals.items())
            raise NasError(f"compare: the searches aim at different things ({told}); compare those of one goal")
        self.objective = groups[0].first.goal.objectives[0]

    @property
    def metric(self) -> str:
        """What candidates are compared by, in words."""
        return named(self.objective.name)

    @property
    def unit(self) -> str:
        """What is spent."""
        if self.by == "trials":
            return "candidates"
        if self.by == "time":
            return "seconds"
        gpus = any(member.uses_gpu for group in self.groups for member in group.members)
        return "GPU seconds" if gpus else "core seconds"

    @property
    def tested(self) -> str | None:
        """The test figure that is reported, in words."""
        values = [member.tests for group in self.groups for member in group.members if member.tests]
        return named(tested(values[0])) if values else None

    @cached_property
    def equal(self) -> float | None:
        """The budget that every search with candidates has spent; None where not two groups have any."""
        totals = [self._budget(group) for group in self.groups]
        known = [one for one in totals if one is not None]
        return min(known) if len(known) > 1 else None

    def _budget(self, group: Group) -> float | None:
        totals = [member.total(self.by) for member in group.members]
        return min(totals) if totals and min(totals) > 0 else None

    @cached_property
    def curves(self) -> dict[str, Curve]:
        """A curve for each group whose searches have candidates, up to what the cheapest of its seeds spent."""
        found = {}
        for group in self.groups:
            budget = self._budget(group)
            if budget is None:
                continue
            points = np.arange(1, budget + 1) if self.by == "trials" else np.linspace(0, budget, POINTS)
            seeds = np.array([member.after(self.by, points) for member in group.members]) * self.objective.sign
            whole = np.isfinite(seeds).all(axis=0)  # a mean of those that were early would fall as others come
            found[group.label] = Curve(points, *bootstrapped(np.where(whole, seeds, np.nan)), seeds)
        return found

    @cached_property
    def rows(self) -> list[Row]:
        """The figures of each group."""
        return [self._row(group) for group in self.groups]

    def _row(self, group: Group) -> Row:
        equal: list[float] = []
        if self.equal is not None:
            at = np.array([self.equal])
            values = [float(member.after(self.by, at)[0]) for member in group.members]
            equal = [self.objective.sign * value for value in values if np.isfinite(value)]
        tests = [member.test for member in group.members if member.test is not None]
        seeds, names = (tuple(getattr(one, what) for one in group.members) for what in ("seed", "name"))
        return Row(group.label, seeds, names, self._budget(group), tuple(equal), tuple(tests))

    @cached_property
    def verdicts(self) -> dict[str, list[Pair]]:
        """Which group is better by its value at the equal budget, and by its test figure; none without three seeds."""
        found: dict[str, list[Pair]] = {}
        if not list(doubts.values(self)):
            sign = self.objective.sign
            found[self.metric] = pairs({row.label: [sign * value for value in row.equal] for row in self.rows})
        if self.tested is not None and not list(doubts.tests(self)):
            smaller = self.tested.endswith("loss")
            found[self.tested] = pairs({row.label: [-v if smaller else v for v in row.tests] for row in self.rows})
        return {name: mine for name, mine in found.items() if mine}

    def remarks(self) -> Iterator[str]:
        """What a reader has to know beside the figures, a sentence each."""
        yield from doubts.values(self)
        yield from doubts.tests(self)
        yield from doubts.costs(self)
        yield from doubts.members(self)
        yield from doubts.seeds(self)

    def to_json(self) -> dict[str, Any]:
        """Everything, by the names of `--json`."""
        return {
            "by": self.by,
            "unit": self.unit,
            "metric": self.objective.name,
            "equal_budget": self.equal,
            "groups": [self._row_json(row) for row in self.rows],
            "verdicts": {
                name: [{**pair._asdict(), "significant": pair.significant} for pair in mine]
                for name, mine in self.verdicts.items()
            },
            "remarks": list(self.remarks()),
        }

    def _row_json(self, row: Row) -> dict[str, Any]:
        curve = self.curves.get(row.label)
        drawn = (
            {} if curve is None else {"spent": curve.spent, "mean": curve.mean, "low": curve.low, "high": curve.high}
        )
        return {
            "label": row.label, "seeds": row.seeds, "searches": row.searches, "budget": row.budget,
            "at_equal_budget": row.equal, "test": row.tests,
            "curve": {name: column.tolist() for name, column in drawn.items()},
        }  # fmt: skip

    @property
    def few(self) -> list[str]:
        """Groups with too few seeds for a verdict."""
        return [row.label for row in self.rows if len(row.seeds) < LEAST]
