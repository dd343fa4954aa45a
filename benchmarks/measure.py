"""How speed is measured here: two variants in turns on one thread, the ratio of each round, its median and spread.

Some figures have no peer: they are our own medians, held against a budget. Those of workers use every core.

A benchmark of the suite is a module of this folder with

    def measurements(rounds: int = 7) -> Iterator[Measured]

which yields each figure as soon as it is known (without `rounds` where it has none), and a `main` that calls
`quiet_process()` and then `show(measurements())`. `python -m benchmarks.suite` runs them all.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

STEADY = 1.5  # a figure whose rounds spread further is refused
BUDGET = "none: a budget"  # the peer of a figure that has none
HEADINGS = ("figure", "ratio", "spread", "goal", "", "against")  # of `cells`
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE",
    "GOMP_SPINCOUNT": "0",
}  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """One figure and its goal.

    ratio: the peer's time over ours, or, with a `unit` such as "s" or "MiB", our own value; the median of the rounds
    spread: the largest round over the smallest, at least 1
    goal: what the ratio must reach, or, with `at_most`, must not exceed
    peer: what it is compared with, in a few words
    """

    name: str
    ratio: float
    spread: float
    goal: float
    peer: str
    at_most: bool = False
    unit: str = "x"
    note: str = ""

    @property
    def met(self) -> bool:
        """Whether the goal is reached."""
        return self.ratio <= self.goal if self.at_most else self.ratio >= self.goal

    @property
    def steady(self) -> bool:
        """Whether the rounds agree well enough for the figure to be quoted."""
        return round(self.spread, 3) <= STEADY  # as it is written down

    def to_json(self) -> dict[str, Any]:
        """Name, ratio, spread, goal and peer; unit, at_most and refused only where they are not as usual."""
        written = {"ratio": round(self.ratio, 4), "spread": round(min(self.spread, 999), 3), "refused": not self.steady}
        facts = asdict(self) | written
        del facts["note"]
        usual = {("unit", "x"), ("at_most", False), ("refused", False)}
        return {key: value for key, value in facts.items() if (key, value) not in usual}

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> "Measured":
        """What `to_json` wrote."""
        return cls(**{key: value for key, value in facts.items() if key != "refused"})


def quiet_process() -> None:
    """Give this process and its children one thread each, pinned to one core; best called before torch is imported."""
    os.environ.update(ENVIRONMENT)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


def every_core() -> None:
    """Let this process and its children run on all cores again, for what is measured with several processes."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(os.cpu_count() or 1))


def interleaved(
    slow: Callable[[], object],
    fast: Callable[[], object],
    rounds: int,
    clock: Callable[[], float] = time.perf_counter,
    turns: int = 1,
) -> tuple[float, float]:
    """Run two variants in turns and return how many times faster `fast` is, and the spread of the rounds.

    Both are run once first. A round has one or several turns of each, whose times are added up; each goes first in
    every second turn, so that what drifts falls on both. What runs on another device must wait for it: a variant ends
    when its result is there.
    """
    for warmed in (slow, fast):
        warmed()
    ratios = []
    for number in range(rounds):
        taken = [0.0, 0.0]
        for turn in range(turns):
            for which in (1, 0) if (number + turn) % 2 else (0, 1):
                taken[which] += seconds((slow, fast)[which], clock)
        ratios.append(taken[0] / taken[1])
    return median_and_spread(ratios)


def repeated(measure: Callable[[], float], rounds: int) -> tuple[float, float]:
    """Take a value several times, after once for warming up: its median, and the spread."""
    measure()
    return median_and_spread([measure() for _ in range(rounds)])


def repeat(step: Callable[[], object], times: int) -> None:
    """Do a step several times."""
    for _ in range(times):
        step()


def seconds(step: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """How long one call takes."""
    began = clock()
    step()
    return clock() - began


def median_and_spread(values: list[float]) -> tuple[float, float]:
    """The median, and the largest over the smallest."""
    return statistics.median(values), max(values) / min(values) if min(values) > 0 else float("inf")


def show(figures: Iterable[Measured], title: str = "") -> None:
    """Print figures as a table."""
    from rich.console import Console
    from rich.table import Table

    table = Table(*HEADINGS, title=title or None, title_justify="left")
    for figure in figures:
        table.add_row(*cells(figure))
    Console().print(table)


def cells(figure: Measured) -> tuple[str, ...]:
    """The words of a row: name, ratio, spread, goal, whether it is met, and peer with the note."""
    verdict = "[green]met[/]" if figure.met else "[red]missed[/]"
    return (
        figure.name,
        f"{figure.ratio:.3g} {figure.unit}",
        f"{figure.spread:.2f}",
        f"{'≤' if figure.at_most else '≥'} {figure.goal:g} {figure.unit}",
        verdict if figure.steady else f"[yellow]refused: rounds spread by more than {STEADY}[/]",
        f"{figure.peer}; {figure.note}" if figure.note else figure.peer,
    )
