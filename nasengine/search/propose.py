"""The ask/tell loop: a strategy proposes, an executor evaluates, every step is recorded before it counts."""

import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from nasengine.job import Job, Result
from nasengine.search.objective import ACCURACY, Goal
from nasengine.search.strategy import Remark, Strategy, Told
from nasengine.space import Architecture

Order = Literal["arrival", "proposal"]


@dataclass(frozen=True)
class History:
    """What an earlier run left: results told (in that order), not yet told, open proposals, and what was remarked."""

    told: Sequence[Result] = ()
    waiting: Sequence[Result] = ()
    open: Sequence[tuple[int, Architecture]] = ()
    remarks: Sequence[Remark] = ()


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

    def result(self, job: Job, result: Result, order: int | None = None) -> None:
        """A result has come; with `order` it is told at once, as that number, and `tell` is not called for it."""

    def tell(self, result: Result, order: int) -> None:
        """A result is being told to the strategy, as number `order`."""

    def remark(self, number: int, remark: Remark) -> None:
        """The strategy has something to say, after so many proposals."""


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


def values_of(result: Result) -> dict[str, float]:
    """Everything about a result that may be an objective: its values, its size and its time."""
    figures = {"params": result.params, "macs": result.macs, "seconds": result.seconds}
    return {name: float(value) for name, value in figures.items() if value is not None} | dict(result.values)


def told_of(result: Result, goal: Goal) -> Told:
    """What a strategy is told; a failed result has no value, nor has one that lacks an objective or breaks a bound."""
    architecture, values = Architecture.from_json(result.architecture), values_of(result)
    error, missing = result.error, goal.missing(values)
    if error is None and missing:
        error = f"no value called {', '.join(missing)}; there are {', '.join(values) or 'none'}"
    if error is not None:
        return Told(result.number, architecture, values, None, error, weights=result.weights)
    violation = goal.violation(values)
    return Told(
        result.number, architecture, values, None if violation else goal.value(values), None, goal.each(values),
        weights=result.weights, stopped=result.stopped, violation=violation,
    )  # fmt: skip


def propose(
    strategy: Strategy,
    executor: Executor,
    record: Record,
    *,
    job_for: Callable[[int, Architecture], Job],
    trials: int,
    seed: int,
    goal: Goal = ACCURACY,
    warm: Sequence[Told] = (),
    order: Order = "arrival",
    workers: int = 1,
    out_of_time: Callable[[], bool] = lambda: False,
) -> bool:
    """Run a search until it has `trials` proposals with results; False where the strategy ran out of ideas before.

    `warm` are results of earlier searches, told before anything else; they do not count.
    When it is out of time nothing more is submitted, what runs is waited for, and the rest is left open.
    With `order="proposal"` results are told in the order of proposals, and proposal n is asked for when exactly
    n - workers + 1 results were told: then any strategy does the same whatever the timing.
    """
    loop = _Loop(strategy, executor, record, job_for, goal, order)
    loop.replay(warm)
    patience = 0  # results that the strategy wants to hear of before it goes on
    while True:
        over = out_of_time()
        wanted = loop.proposed < trials and not over
        due = max(loop.proposed - workers + 1, patience)
        loop.tell_arrived(due if wanted else loop.proposed)
        if executor.free():
            if loop.reopened and not over:
                loop.submit(*loop.reopened.popleft())
                continue
            if wanted and (order == "arrival" or loop.told >= due):
                architecture = loop.ask(draws_of(seed, loop.proposed))
                if architecture is not None:
                    loop.propose(architecture)
                    continue
                if loop.told == loop.proposed:
                    return False
                patience = loop.told + 1
        if loop.running:
            loop.wait()
        elif not loop.arrived or over:  # what waits for an open proposal in between is told when the search goes on
            return True


class _Loop:
    def __init__(
        self, strategy: Strategy, executor: Executor, record: Record, job_for: Callable[[int, Architecture], Job],
        goal: Goal, order: Order,
    ):  # fmt: skip
        self.strategy, self.executor, self.record, self.job_for = strategy, executor, record, job_for
        self.goal, self.order = goal, order
        self.proposed = self.told = self.running = 0
        self.first_untold = 0
        self.arrived: dict[int, Result] = {}
        self.done: set[int] = set()
        self.reopened: deque[tuple[int, Architecture]] = deque()

    def replay(self, warm: Sequence[Told]) -> None:
        """Tell what was told before, in the same order, and take up what was left open under its old numbers."""
        history = self.record.history()
        if hasattr(self.strategy, "recall"):
            self.strategy.recall(history.remarks)
        for told in warm:
            self.strategy.tell(told)
        for result in history.told:
            self.tell(result)
        if history.told or history.open:
            self.remarks()  # they were recorded when these results were first told
        else:
            self.record_remarks()
        self.arrived = {result.number: result for result in history.waiting}
        self.reopened.extend(history.open)
        self.proposed = self.told + len(self.arrived) + len(self.reopened)

    def remarks(self) -> list[Remark]:
        """What the strategy has to say since it was last asked for it."""
        return self.strategy.remarks() if hasattr(self.strategy, "remarks") else []

    def record_remarks(self) -> None:
        for remark in self.remarks():
            self.record.remark(self.proposed, remark)

    def ask(self, rng: random.Random) -> Architecture | None:
        architecture: Architecture | None = self.strategy.ask(rng)
        self.record_remarks()
        return architecture

    def propose(self, architecture: Architecture) -> None:
        number = self.proposed
        self.record.propose(number, architecture)
        self.proposed += 1
        self.submit(number, architecture)

    def submit(self, number: int, architecture: Architecture) -> None:
        job = self.job_for(number, architecture)
        if hasattr(self.strategy, "inherit"):
            sources = self.strategy.inherit(architecture)
            job = replace(job, inherit={place: list(source) for place, source in sources.items()})
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
        if self.order == "proposal":
            self.record.result(job, result)
            self.arrived[job.number] = result
            return
        self.record.result(job, result, self.told)
        self.tell(result)
        self.record_remarks()

    def tell_arrived(self, most: int) -> None:
        """Tell what has arrived; in proposal order without gaps, and no more than `most` results in all."""
        if self.order == "arrival":
            for number in sorted(self.arrived):
                self.hear(self.arrived.pop(number))
        while self.told < most and self.first_untold in self.arrived:
            self.hear(self.arrived.pop(self.first_untold))

    def hear(self, result: Result) -> None:
        """A result that is told for the first time."""
        self.record.tell(result, self.told)
        self.tell(result)
        self.record_remarks()

    def tell(self, result: Result) -> None:
        self.strategy.tell(told_of(result, self.goal))
        self.told += 1
        self.done.add(result.number)
        while self.first_untold in self.done:
            self.done.remove(self.first_untold)
            self.first_untold += 1
