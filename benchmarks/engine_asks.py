"""What a proposal costs in memory: ask and tell of our strategies against Optuna's NSGA-II, on the same ten decisions.

    python -m benchmarks.engine_asks

Eight decisions have five answers, two have 64 (for Optuna: numbers from 0 to 1); there are two objectives. Both know
their results before they are asked, so that nothing but asking and telling is timed. NSGA-II has a population of 50 on
both sides, which is Optuna's default. Whether late proposals cost more: the mean of 200 around the 10,000th and the
100th of the same search, over a few searches.
"""

import time
from collections.abc import Iterator
from functools import partial
from statistics import fmean
from typing import Any

from benchmarks.measure import Measured, interleaved, median_and_spread, quiet_process, repeat, show
from nasengine.plugins import load_strategy
from nasengine.search.propose import draws_of
from nasengine.search.strategy import Told
from nasengine.space import Architecture, Space, choose, op

TRIALS = 1000
LATE, EARLY, AROUND = 10_000, 100, 100
STRATEGIES: dict[str, dict[str, Any]] = {"random-search": {}, "evolution": {}, "nsga2": {"population": 50}}
OFTEN = 5  # searches of ours in a round, which would be too short to be timed singly
FLAT = 1.5  # a late proposal may cost this many times an early one
CATEGORIES = {f"c{number}": tuple(range(5)) for number in range(8)}
NUMBERS = {f"f{number}": tuple(step / 63 for step in range(64)) for number in range(2)}


class Nothing:
    """A layer that is never built."""


def space() -> Space:
    """The ten decisions."""
    settings = {name: choose(name, *values) for name, values in {**CATEGORIES, **NUMBERS}.items()}
    return Space("ten", (3, 8, 8), op(Nothing, **settings))


def objectives(numbers: list[float]) -> tuple[float, float]:
    """Two aims that are at odds."""
    return sum(numbers), -sum(value * value for value in numbers)


def result(architecture: Architecture) -> tuple[float, float]:
    """The objectives of one of ours."""
    return objectives([float(kept[0]) for kept in architecture.picks.values()])


def ours(name: str, trials: int) -> list[float]:
    """The seconds of each ask with its tell."""
    strategy, taken = load_strategy(name, space(), STRATEGIES[name]), []
    for number in range(trials):
        began = time.perf_counter()
        architecture = strategy.ask(draws_of(0, number))
        asked = time.perf_counter()
        points = result(architecture)
        told = time.perf_counter()
        strategy.tell(Told(number, architecture, {}, points[0], None, points))
        taken.append(time.perf_counter() - told + asked - began)
    return taken


def optuna() -> None:
    """As many trials of Optuna's NSGA-II, in memory."""
    from optuna import create_study
    from optuna.samplers import NSGAIISampler

    study = create_study(sampler=NSGAIISampler(seed=0), directions=["maximize", "maximize"])
    for _ in range(TRIALS):
        trial = study.ask()
        numbers = [float(trial.suggest_categorical(name, values)) for name, values in CATEGORIES.items()]
        numbers += [trial.suggest_float(name, 0.0, 1.0) for name in NUMBERS]
        study.tell(trial, objectives(numbers))


def flatness(name: str) -> float:
    """How many times as long a late proposal takes as an early one."""
    searches = [ours(name, LATE + AROUND) for _ in range(OFTEN)]
    # the least of a few, proposal by proposal: what else the machine does falls on other proposals each time
    taken = [min(same) for same in zip(*searches, strict=True)]
    late, early = (fmean(taken[number - AROUND : number + AROUND]) for number in (LATE, EARLY))
    return late / early


def measurements(rounds: int = 5) -> Iterator[Measured]:
    """Each figure as soon as it is known."""
    from optuna import logging

    logging.set_verbosity(logging.WARNING)
    for name in STRATEGIES:
        ratio, spread = interleaved(optuna, partial(repeat, partial(ours, name, TRIALS), OFTEN), rounds)
        yield Measured(
            f"ask and tell, {name}", OFTEN * ratio, spread, 5, "Optuna's NSGA-II in memory", note=f"{TRIALS:,} trials"
        )
    for name in STRATEGIES:
        found = median_and_spread([flatness(name) for _ in range(rounds)])
        yield Measured(
            f"the {LATE:,}th proposal, {name}", *found, FLAT, f"the {EARLY}th", at_most=True, note="asked and told"
        )


def main() -> None:
    """Measure and print."""
    quiet_process()
    show(measurements())


if __name__ == "__main__":
    main()
