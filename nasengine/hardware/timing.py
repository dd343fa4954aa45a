"""How long one run of something takes: warm-up, then the median and the middle half of many runs."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import quantiles

WARM_UP = 10  # runs that do not count: memory is allocated, kernels are chosen
RUNS = 50  # at least, unless the time limit comes first
ENOUGH = 50.0  # milliseconds that the counted runs take together at least: what is very short runs more often
LIMIT = 10_000.0  # milliseconds for all of it
LEAST = 3  # counted runs, however long they take
CALM = 0.1  # spread of a round that nothing disturbed
ROUNDS = 5  # at most

Run = Callable[[], object]
Clock = Callable[[Run], float]  # milliseconds of one run


@dataclass(frozen=True)
class Timing:
    """Milliseconds of one run: the median, the quartiles, and over how many runs."""

    median: float
    low: float
    high: float
    runs: int

    @property
    def spread(self) -> float:
        """How far the quartiles lie apart, relative to the median."""
        return (self.high - self.low) / self.median if self.median > 0 else 0.0


def measure(run: Run, clock: Clock, limit: float = LIMIT) -> Timing:
    """Time a run again and again: after 10 of warm-up at least 50, and at least 50 ms; or as many as the limit lets.

    Where others disturb (the quartiles lie further apart than a tenth of the median) this is done up to five times,
    and the round with the smallest median counts: disturbance only adds. All times are milliseconds of the clock's,
    which makes this the same on every device.
    """
    spent = 0.0
    for _ in range(WARM_UP):
        spent += clock(run)
        if spent > limit / 5:
            break
    rounds: list[Timing] = []
    while not rounds or (len(rounds) < ROUNDS and rounds[-1].spread > CALM and spent < limit):
        taken = _round(run, clock, limit - spent)
        spent += sum(taken)
        low, middle, high = quantiles(taken, n=4, method="inclusive")
        rounds.append(Timing(middle, low, high, len(taken)))
    return min(rounds, key=lambda one: one.median)


def _round(run: Run, clock: Clock, limit: float) -> list[float]:
    taken: list[float] = []
    total = 0.0
    while len(taken) < LEAST or (total < limit and (len(taken) < RUNS or total < ENOUGH)):
        taken.append(clock(run))
        total += taken[-1]
    return taken


def wall_clock(run: Run) -> float:
    """Milliseconds of one run by this process' clock: for what is done when it returns."""
    began = time.perf_counter_ns()
    run()
    return (time.perf_counter_ns() - began) / 1e6
