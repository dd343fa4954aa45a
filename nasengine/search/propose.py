"""The ask/tell loop: a strategy proposes, an executor evaluates, every step is recorded before it counts."""

import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from nasengine.job import Job, Result
from nasengine.search.strategy import Strategy, Told
from nasengine.space import Architecture

Order = Literal["arrival", "proposal"]


@dataclass(frozen=True)
class History:
    """What an earlier run left: results told (in that order), results not yet told, proposals without a result."""

    told: Sequence[Result] = ()
    waiting: Sequence[Result] = ()
    open: Sequence[tuple[int, Architecture]] = ()


class Record(Protocol):
    """Where the loop writes what happens before it counts, and finds what had happened before."""

    def history(self) -> History:
        """What an earlier run left."""

    def propose(self, number: int, architecture: Architecture) -> None:
        """A proposal was made."""

    def known(self, job: Job) -> Result | None:
        """The result of an equal job, where there is one; it is recorded as this job's."""

    def start(self, job: Job) -> None:
        """A job is about to be submitted."""

    def result(self, job: Job, result: Result) -> None:
        """A result has come."""

    def tell(self, result: Result, order: int) -> None:
        """A result is being told to the strategy, as number `order`."""


class Executor(Protocol):
    """Where jobs run."""

    def free(self) -> bool:
        """Whether another job may be submitted."""

    def submit(self, job: Job) -> None:
        """Take a job."""

    def next(self) -> tuple[Job, Result]:
        """Wait for a result."""


def draws_of(seed: int, number: int) -> random.Random:
    """The random numbers of one proposal: they depend on the seed and its number alone."""
    return random.Random(f"{seed}/{number}")


def told_of(result: Result, objective: str) -> Told:
    """What a strategy is told; a failed result has no value."""
    failed = result.error is not None or objective not in result.values
    value = None if failed else result.values[objective]
    architecture = Architecture.from_json(result.architecture)
    return Told(result.number, architecture, dict(result.values), value, result.error)


def propose(
    strategy: Strategy,
    executor: Executor,
    record: Record,
    *,
    job_for: Callable[[int, Architecture], Job],
    trials: int,
    seed: int,
    objective: str = "validation_accuracy",
    order: Order = "arrival",
    workers: int = 1,
    out_of_time: Callable[[], bool] = lambda: False,
) -> bool:
    """Run a search until it has `trials` proposals with results; False where the strategy ran out of ideas before.

    With `order="proposal"` results are told in the order of proposals, and proposal n is asked for when exactly
    n - workers + 1 results were told: then any strategy does the same whatever the timing.
    """
    loop = _Loop(strategy, executor, record, job_for, objective, order)
    loop.replay()
    patience = 0  # results that the strategy wants to hear of before it goes on
    while True:
        wanted = loop.proposed < trials and not out_of_time()
        due = max(loop.proposed - workers + 1, patience)
        loop.tell_arrived(due if wanted else loop.proposed)
        if executor.free():
            if loop.reopened:
                loop.submit(*loop.reopened.popleft())
                continue
            if wanted and (order == "arrival" or loop.told >= due):
                architecture = strategy.ask(draws_of(seed, loop.proposed))
                if architecture is not None:
                    loop.propose(architecture)
                    continue
                if loop.told == loop.proposed:
                    return False
                patience = loop.told + 1
        if loop.running:
            loop.wait()
        elif not loop.arrived:
            return True


class _Loop:
    def __init__(
        self, strategy: Strategy, executor: Executor, record: Record, job_for: Callable[[int, Architecture], Job],
        objective: str, order: Order,
    ):  # fmt: skip
        self.strategy, self.executor, self.record, self.job_for = strategy, executor, record, job_for
        self.objective, self.order = objective, order
        self.proposed = self.told = self.running = 0
        self.first_untold = 0
        self.arrived: dict[int, Result] = {}
        self.done: set[int] = set()
        self.reopened: deque[tuple[int, Architecture]] = deque()

    def replay(self) -> None:
        """Tell what was told before, in the same order, and take up what was left open under its old numbers."""
        history = self.record.history()
        for result in history.told:
            self.tell(result)
        self.arrived = {result.number: result for result in history.waiting}
        self.reopened.extend(history.open)
        self.proposed = self.told + len(self.arrived) + len(self.reopened)

    def propose(self, architecture: Architecture) -> None:
        number = self.proposed
        self.record.propose(number, architecture)
        self.proposed += 1
        self.submit(number, architecture)

    def submit(self, number: int, architecture: Architecture) -> None:
        job = self.job_for(number, architecture)
        known = self.record.known(job)
        if known is not None:
            self.arrived[number] = known
            return
        self.record.start(job)
        self.executor.submit(job)
        self.running += 1

    def wait(self) -> None:
        job, result = self.executor.next()
        self.running -= 1
        self.record.result(job, result)
        self.arrived[job.number] = result

    def tell_arrived(self, most: int) -> None:
        """Tell what has arrived; in proposal order without gaps, and no more than `most` results in all."""
        if self.order == "arrival":
            for number in sorted(self.arrived):
                self.record.tell(self.arrived[number], self.told)
                self.tell(self.arrived.pop(number))
        while self.told < most and self.first_untold in self.arrived:
            result = self.arrived.pop(self.first_untold)
            self.record.tell(result, self.told)
            self.tell(result)

    def tell(self, result: Result) -> None:
        self.strategy.tell(told_of(result, self.objective))
        self.told += 1
        self.done.add(result.number)
        while self.first_untold in self.done:
            self.done.remove(self.first_untold)
            self.first_untold += 1
