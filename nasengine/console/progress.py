"""What a search shows while it runs: bars in a terminal, plain lines elsewhere; all on standard error."""

import time
from collections.abc import Mapping
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from nasengine.console.epochs import epoch_words
from nasengine.console.output import duration, err, note, number
from nasengine.job import Result
from nasengine.listener import Listener
from nasengine.planned import Plan
from nasengine.retrain_plan import Training
from nasengine.search.objective import ACCURACY
from nasengine.search.propose import told_of


class Lines(Listener):
    """A line for each epoch or result, without control codes."""

    def __init__(self) -> None:
        self.name = ""
        self.total, self.done, self.heard, self.began = 0, 0, 0, 0.0  # `done` counts what earlier runs did, too
        self.best: float | None = None  # by the goal
        self.goal = ACCURACY
        self.cell = ""

    def begin(self, name: str, plan: Plan | Training, resumed: bool) -> None:
        """Remember the name, and say it."""
        self.name, self.goal = name, getattr(plan, "goal", ACCURACY)
        what = f"{plan.strategy_name} in {plan.space_name} on {plan.data_name}"
        self.note(f"search {name}{' goes on' if resumed else ''}: {what}")

    def phase(self, name: str, total: int) -> None:
        """Count from nought."""
        self.total, self.done, self.heard, self.began = total, 0, 0, time.monotonic()

    def epoch(self, phase: str, values: Mapping[str, Any]) -> None:
        """One line; epochs of candidates are left to their result."""
        if phase != "candidates":
            self.done = int(values["epoch"])
            self.heard += 1
            self.show(phase, epoch_words(values))

    def result(self, result: Result, reused: str | None) -> None:
        """One line with the best so far."""
        self.recall(result)
        self.heard += 1
        told = told_of(result, self.goal)
        names = [one.name for one in self.goal.objectives]
        words = ", ".join(f"{name.replace('_', ' ')} {number(told.values[name])}" for name in names if not told.error)
        best = "" if self.best is None else f"  best {number(self.best)}"
        self.show(
            "candidates", f"{words or f'failed: {told.error}'}{best}{f'  (known from {reused})' if reused else ''}"
        )

    def recall(self, result: Result) -> None:
        """Count it, without a line."""
        self.done += 1
        value = told_of(result, self.goal).value
        if value is not None and (self.best is None or value > self.best):
            self.best = value

    def show(self, phase: str, words: str) -> None:
        """Put one line where lines go."""
        note(f"{phase:10} {self.done:3}/{self.total}  {words}  {duration(self.left())} left")

    def note(self, text: str) -> None:
        """One line."""
        note(text)

    def left(self) -> float:
        """Seconds that the phase will still take, at its speed so far."""
        return (time.monotonic() - self.began) / max(self.heard, 1) * max(self.total - self.done, 0)

    def close(self) -> None:
        """Nothing is open."""


class Bars(Lines):
    """One bar a phase, the figures of the latest epoch or result beside it."""

    def __init__(self) -> None:
        super().__init__()
        words = TextColumn("{task.fields[words]}")
        columns = TextColumn("{task.description:10}"), BarColumn(20), MofNCompleteColumn(), words, TimeRemainingColumn()
        self.progress = Progress(*columns, console=err())
        self.task: TaskID | None = None
        self.progress.start()

    def phase(self, name: str, total: int) -> None:
        """A new bar."""
        super().phase(name, total)
        self.task = self.progress.add_task(name, total=total, words="")

    def show(self, phase: str, words: str) -> None:
        """Move the bar."""
        if self.task is not None:
            self.progress.update(self.task, completed=self.done, words=words)

    def note(self, text: str) -> None:
        """Above the bars."""
        self.progress.console.print(text)

    def close(self) -> None:
        """Leave the bars as they are."""
        self.progress.stop()


def listener() -> Lines:
    """Bars in a terminal, lines elsewhere."""
    return Bars() if err().is_terminal else Lines()
