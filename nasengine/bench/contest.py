"""A table under a goal: what each row is worth, what a strategy gets to see of it, and what is reported."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from nasengine.errors import TableError, did_you_mean
from nasengine.search.objective import Goal, Reward
from nasengine.tables import Table, load_table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Answer = tuple[dict[str, float], float, tuple[float, ...]]  # what a strategy sees, the number it is told, objectives
REMEMBERED = 100_000  # answers that are kept ready


class Contest:
    """What strategies compete for: the architectures of a table, judged by a goal.

    A strategy is told neither the value that is reported at the end nor any other `test_…`, unless the goal names it:
    validation selects, test reports.
    """

    def __init__(self, table: Table, goal: Goal):
        missing = [one.name for one in goal.objectives if one.name not in table.values]
        if missing:
            hints = "".join(did_you_mean(name, table.values) for name in missing)
            raise TableError(
                f"table {table.name}: it has no {' and no '.join(missing)}; objectives may be "
                f"{', '.join(table.values)}.{hints}"
            )
        if goal.bounds and goal.reward == "constraint":
            raise TableError(
                f"table {table.name}: bounds came as constraints; strategies are compared by one number of every row: "
                "give --reward soft or --reward hard"
            )
        named = {one.name for one in goal.objectives}
        self.table, self.goal = table, goal
        self.report = table.report if table.report not in named else None
        self.seen = [name for name in table.values if name in named or not self._hidden(name)]
        self._answers: dict[int, Answer] = {}

    @property
    def bounded(self) -> bool:
        """Whether the score is a reward made of several objectives."""
        return any(one.bound is not None for one in self.goal.objectives)

    def _hidden(self, name: str) -> bool:
        return name == self.table.report or name.startswith("test_")

    @cached_property
    def scores(self) -> "NDArray[np.float64]":
        """The number of every row that strategies make large."""
        import numpy as np

        columns = [self.table.values[one.name] for one in self.goal.objectives]
        if not self.bounded:
            return self.goal.objectives[0].sign * columns[0]
        names = [one.name for one in self.goal.objectives]
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return np.array([self.goal.value(dict(zip(names, row, strict=True))) for row in rows])

    def answer(self, row: int) -> Answer:
        """What a strategy is told of a row; kept, for most rows are asked for more than once."""
        found = self._answers.get(row)
        if found is None:
            values = {name: self.table.values[name].item(row) for name in self.seen}
            found = values, self.scores.item(row), self.goal.each(values)
            if len(self._answers) >= REMEMBERED:
                self._answers.clear()
            self._answers[row] = found
        return found


@dataclass(frozen=True)
class Entry:
    """What makes a contest, in words, so that every process can make it for itself."""

    table: str
    dataset: str | None = None
    objectives: Sequence[str] = ()  # none: what the table is selected by
    reward: Reward = "soft"
    mapping: str | None = None
    space: str | None = None
    space_settings: Mapping[str, str] = field(default_factory=dict)
    join: Sequence[str] = ()

    def contest(self) -> Contest:
        """Read the table, and judge it by the objectives."""
        table = load_table(
            self.table, dataset=self.dataset, mapping=self.mapping, space=self.space,
            space_settings=dict(self.space_settings) or None, join=tuple(self.join),
        )  # fmt: skip
        return Contest(table, Goal.parse(list(self.objectives) or [table.objective], self.reward))
