"""A search's driver without its trainings: proposes, records in SQLite, tells, and counts its time."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nasengine.bookkeeping import Bookkeeping
from nasengine.job import Job
from nasengine.ledger import Ledger
from nasengine.listener import Listener
from nasengine.plan import make
from nasengine.planned import Plan
from nasengine.runs import run_folder
from nasengine.search.propose import propose
from nasengine.space import Architecture

EMPTY = str(Path(__file__).with_name("empty_job.py"))


@dataclass
class Driver:
    """One search of many short jobs; `hear` is called with the number of each result."""

    plan: Plan
    books: Bookkeeping
    folder: Path
    sleep: float = 0.0
    marks: list[float] = field(default_factory=list)  # when each result was recorded

    def job_for(self, number: int, architecture: Architecture) -> Job:
        """A job with nothing to do."""
        plan = self.plan
        return Job(
            number, plan.space_name, dict(plan.space.settings), architecture.to_json(), plan.evaluator,
            plan.candidate.to_json(), plan.data_name, {"sleep": self.sleep}, plan.seed,
        )  # fmt: skip

    def run(self, executor: Any, strategy: Any = None, hear: Callable[[int], None] = lambda number: None) -> None:
        """Run the search to its end."""
        record = self.books.result

        def heard(job: Job, result: Any, order: int | None = None) -> None:
            record(job, result, order)
            self.marks.append(time.perf_counter())
            hear(len(self.marks) - 1)

        self.books.result = heard  # type: ignore[method-assign]
        plan = self.plan
        propose(
            strategy or plan.strategy(), executor, self.books, job_for=self.job_for, trials=plan.trials,
            seed=plan.seed, workers=plan.workers,
        )  # fmt: skip

    def seconds(self, skipped: int) -> float:
        """Seconds a result, after the first so many, in which workers are started and imports done."""
        return (self.marks[-1] - self.marks[skipped - 1]) / (len(self.marks) - skipped)


@contextmanager
def driver(trials: int, workers: int, strategy: str = "random-search", space: str = "small-cell") -> Iterator[Driver]:
    """A driver with a database of its own."""
    plan = make(space, strategy, trials=trials, workers=workers, executor="local", evaluator=EMPTY, reuse=False)
    facts = {**plan.facts(), "command": "benchmark"}
    with (
        tempfile.TemporaryDirectory() as folder,
        Ledger(Path(folder) / "n.db") as ledger,
        ledger.open_search("n", **facts) as record,
    ):
        yield Driver(plan, Bookkeeping(plan, ledger, record, Listener()), run_folder(ledger, "n"))
