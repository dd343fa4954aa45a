"""A finished comparison: figures, curves and remarks, from which text, JSON, page and pictures are made."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nasengine.bench.contest import Contest
from nasengine.bench.significance import Pair, compare
from nasengine.bench.statistics import Standing, figures, threshold
from nasengine.bench.tabular import Run
from nasengine.bench.uniform import Uniform
from nasengine.bench.wording import Row, lines, named, percent

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Column = NDArray[np.float64]

POINTS = 250  # at most so many points of a curve are drawn


class Curve(NamedTuple):
    """The mean over the seeds with its 95 % band, after each of `Comparison.queries`."""

    mean: "Column"
    low: "Column"
    high: "Column"


class Panel(NamedTuple):
    """One plot: a curve for each strategy, what uniform draws would find, and the best entry there is."""

    title: str
    axis: str
    curves: dict[str, Curve]
    uniform: "Column"
    best: float | None
    logarithmic: bool = False


class Comparison:
    """What runs of several strategies on one contest amount to; `target` is a share of the table's rows."""

    def __init__(self, contest: Contest, labels: Sequence[str], runs: Iterable[Run], budget: int, target: float):
        self.contest, self.budget, self.target = contest, budget, target
        by_label: dict[str, list[Run]] = {label: [] for label in labels}
        for run in runs:
            by_label[run.strategy].append(run)
        self.standings = [Standing(label, contest, mine, budget) for label, mine in by_label.items()]

    @cached_property
    def uniform(self) -> Uniform:
        """Uniform draws from the table's rows."""
        return Uniform(self.contest.scores)

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """The figures of each strategy, as `--json` prints them."""
        beaten: dict[str, list[str]] = {one.label: [] for one in self.standings}
        for pair in self.pairs:
            if pair.significant:
                beaten[pair.better].append(pair.worse)
        return [
            {**figures(one, self.uniform, self.target), "significantly_better_than": beaten[one.label]}
            for one in self.standings
        ]

    @cached_property
    def pairs(self) -> list[Pair]:
        """Every two strategies compared by the score that they compete for."""
        return self._pairs(self.contest.scores)

    @cached_property
    def reported_pairs(self) -> list[Pair]:
        """Every two strategies compared by the value that is reported; empty where there is none."""
        report = self.contest.report
        return [] if report is None else self._pairs(self.contest.table.values[report])

    def _pairs(self, column: "Column") -> list[Pair]:
        return compare({
            one.label: dict(zip(one.seeds, one.last(column).tolist(), strict=True)) for one in self.standings
        })  # fmt: skip

    @property
    def table(self) -> list[Row]:
        """The figures as lines of words, the titles first."""
        contest = self.contest
        names = {"value": "reward"} if contest.bounded else {}
        names["validation"] = named(contest.goal.first)
        if contest.report is not None:
            names["test"] = named(contest.report)
        seconds = [float(np.mean([run.seconds for run in one.runs] or [np.nan])) for one in self.standings]
        return lines(self.rows, names, seconds)

    @cached_property
    def queries(self) -> "NDArray[np.int64]":
        """The numbers of queries at which curves are drawn."""
        if self.budget <= POINTS:
            return np.arange(1, self.budget + 1)
        spread = np.geomspace(1, self.budget, POINTS // 2), np.linspace(1, self.budget, POINTS // 2)
        return np.unique(np.concatenate(spread).round().astype(np.int64))

    def panels(self) -> list[Panel]:
        """What is plotted: what is selected by, what is reported, and how far from the optimum the first one is."""
        contest, values = self.contest, self.contest.table.values
        first, scores = contest.goal.objectives[0], contest.scores
        if contest.bounded:
            made = [self._panel("The reward that is selected by", "reward", scores, scores.max())]
        else:
            column = values[first.name]
            best = float((first.sign * column).max() * first.sign)
            made = [self._panel(f"Best {named(first.name)} so far", axis(first.name, column), column, best)]
        if contest.report is not None:
            column = values[contest.report]
            title = f"{named(contest.report).capitalize()} of the best so far"
            made.append(self._panel(title, axis(contest.report, column), column, None))
        regret = scores.max() - scores
        what = "reward" if contest.bounded else axis(first.name, values[first.name])
        made.append(self._panel("Regret: what is missing to the table's best", f"regret: {what}", regret, None, True))
        return made

    def _panel(self, title: str, words: str, column: "Column", best: float | None, logarithmic: bool = False) -> Panel:
        curves = {one.label: Curve(*one.band(column, self.queries)) for one in self.standings if one.runs}
        uniform = np.array([self.uniform.expected(column, int(n)) for n in self.queries])
        return Panel(title, words, curves, uniform, best, logarithmic)

    def remarks(self) -> list[str]:
        """What a reader has to know beside the figures, a sentence each."""
        return [*self._about_the_protocol(), *self._about_the_runs()]

    def _about_the_protocol(self) -> Iterator[str]:
        contest, table = self.contest, self.contest.table
        first = named(contest.goal.first)
        if contest.report is not None:
            yield f"Strategies see and select by {first}; {named(contest.report)} of what they selected is reported."
        else:
            yield (
                f"There is one value only: {first} is both what strategies select by and what is reported, so the "
                "figures are optimistic; nothing else is reported."
            )
        if len(contest.goal.objectives) > 1:
            objectives = ", ".join(map(str, contest.goal.objectives))
            how = f"MnasNet's reward, {contest.goal.reward}" if contest.bounded else f"{first} alone"
            yield f"Several objectives: {objectives}. Strategies see all of them; the best is the best by {how}."
        yield (
            "Each query is one proposal, told before the next is asked for. Duplicates cost a query and are counted. "
            "Random numbers depend on the seed and the number of the proposal alone."
        )
        reach, rows = threshold(contest.scores, self.target)
        yield (
            f"The target is a score among the best {percent(self.target)} of the table's {len(table):,} rows "
            f"({rows} of them, from {reach:g} on); uniform draws need {len(table) / rows:,.0f} queries on average, "
            f"{(len(table) + 1) / (rows + 1):,.0f} where none is repeated."
        )
        if self.budget > len(table):
            yield (
                f"The budget of {self.budget:,} queries is larger than the table, which has {len(table):,} rows: a "
                "strategy that never repeats itself ends before it is spent."
            )
        yield from table.notes

    def _about_the_runs(self) -> Iterator[str]:
        for one in self.standings:
            ended = [len(run.rows) for run in one.runs if run.ended]
            if ended:
                yield (
                    f"{one.label} had nothing more to propose in {len(ended)} of {len(one.runs)} runs, first after "
                    f"{min(ended):,} queries; its curve stays flat from there on."
                )
            failures = sum(one.failures)
            if failures:
                yield f"{one.label} asked {failures:,} times for what the table has no row for."
            for run in one.errors:
                yield f"{one.label} failed with seed {run.seed} at {run.error}. This run is in no figure."
            for text, count in Counter(text for run in one.runs for text in run.warnings).items():
                yield f"{one.label} warns ({count} of {len(one.runs)} runs): {text}"


def axis(name: str, column: "Column") -> str:
    """The title of an axis: the value's name with its unit."""
    unit = "%" if "accuracy" in name and column.max() > 2 else "s" if name.endswith("seconds") else ""
    return f"{named(name)} ({unit})" if unit else named(name)
