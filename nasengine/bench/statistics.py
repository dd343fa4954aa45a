"""What the runs of one strategy amount to: its incumbent after each query, and figures over the seeds."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from nasengine.bench.contest import Contest
from nasengine.bench.tabular import NO_ROW, Run
from nasengine.bench.uniform import Uniform

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Column = NDArray[np.float64]
    Rows = NDArray[np.int64]

RESAMPLES = 1000  # of the bootstrap
BAND = (2.5, 97.5)  # percentiles: 95 %


class Standing:
    """One strategy's runs without errors, sorted by seed. The incumbent is the row with the best score so far.

    A run that ended early keeps its last incumbent: its curve stays flat.
    """

    def __init__(self, label: str, contest: Contest, runs: Sequence[Run], budget: int):
        self.label, self.contest, self.budget = label, contest, budget
        self.errors = [run for run in runs if run.error is not None]
        self.runs = sorted((run for run in runs if run.error is None), key=lambda run: run.seed)

    @property
    def seeds(self) -> list[int]:
        """The seeds whose runs count."""
        return [run.seed for run in self.runs]

    @cached_property
    def incumbents(self) -> "Rows":
        """The incumbent's row (seeds, queries); NO_ROW as long as there is none."""
        rows = [incumbents(run.rows, self.contest.scores, self.budget) for run in self.runs]
        return np.array(rows, dtype=np.int64).reshape(len(rows), self.budget)

    def of(self, column: "Column", after: int | None = None) -> "Column":
        """The incumbents' entries in a column, (seeds, queries), or (seeds,) after so many queries; NaN for none."""
        rows = self.incumbents if after is None else self.incumbents[:, after - 1]
        return np.where(rows == NO_ROW, np.nan, column[rows])

    def last(self, column: "Column") -> "Column":
        """The incumbents' entries at the end (seeds,)."""
        return self.of(column, self.budget)

    @property
    def duplicates(self) -> list[int]:
        """How many queries of each run asked for a row that it had asked for before."""
        known = [[row for row in run.rows if row != NO_ROW] for run in self.runs]
        return [len(rows) - len(set(rows)) for rows in known]

    @property
    def failures(self) -> list[int]:
        """How many queries of each run asked for what the table has no row for."""
        return [run.rows.count(NO_ROW) for run in self.runs]

    def reached(self, score: float) -> "Column":
        """After how many queries each run had this score; infinite where it never had."""
        hit = self.of(self.contest.scores) >= score
        return np.where(hit.any(axis=1), hit.argmax(axis=1) + 1.0, np.inf)

    def band(self, column: "Column", queries: "Rows") -> "tuple[Column, Column, Column]":
        """Mean over the seeds, and the ends of its 95 % band by bootstrap, after each of these numbers of queries."""
        return bootstrapped(self.of(column)[:, queries - 1])


def incumbents(rows: Sequence[int], scores: "Column", budget: int) -> "Rows":
    """The row with the best score after each query (the first of equals), up to the budget."""
    if not rows:
        return np.full(budget, NO_ROW)
    asked = np.array(rows, dtype=np.int64)
    told = np.where(asked == NO_ROW, -np.inf, scores[asked])
    best_before = np.concatenate([[-np.inf], np.maximum.accumulate(told)[:-1]])
    at = np.maximum.accumulate(np.where(told > best_before, np.arange(len(rows)), -1))
    best = np.where(at < 0, NO_ROW, asked[at])
    return np.concatenate([best, np.full(budget - len(best), best[-1])])


def bootstrapped(curves: "Column") -> "tuple[Column, Column, Column]":
    """Mean of curves (seeds, points) over the seeds, and its 95 % band; NaN entries are left out."""
    present = np.isfinite(curves)
    filled = np.where(present, curves, 0.0)
    seeds = len(curves)
    drawn = np.random.default_rng(0).multinomial(seeds, np.full(seeds, 1 / seeds), RESAMPLES).astype(float)
    with np.errstate(invalid="ignore"):
        mean = filled.sum(axis=0) / present.sum(axis=0)
        means = (drawn @ filled) / (drawn @ present)
    low, high = np.full_like(mean, np.nan), np.full_like(mean, np.nan)
    whole = np.isfinite(mean)
    low[whole], high[whole] = np.nanpercentile(means[:, whole], BAND, axis=0)
    return mean, low, high


def ranks(scores: "Column", of: "Column") -> "Column":
    """The rank of scores in a table, 1 for the best; rows with equal scores share the better rank."""
    ordered = np.sort(scores)
    found = len(scores) - np.searchsorted(ordered, of, side="right") + 1.0
    return np.where(np.isnan(of), np.nan, found)


def threshold(scores: "Column", share: float) -> tuple[float, int]:
    """The score that the best `share` of the rows reaches, and how many rows have it or a better one."""
    count = max(1, int(len(scores) * share))
    score = float(np.partition(scores, len(scores) - count)[len(scores) - count])
    return score, int((scores >= score).sum())


def figures(standing: Standing, uniform: Uniform, share: float) -> dict[str, Any]:
    """Everything that is said of a strategy at the end of its budget, by the names of `--json`."""
    contest, budget, count = standing.contest, standing.budget, len(standing.runs)
    scores, values = contest.scores, contest.table.values
    final = standing.last(scores)
    first, report = values[contest.goal.first], None if contest.report is None else values[contest.report]
    target, rows = threshold(scores, share)
    reached = standing.reached(target)
    least = max((len(run.rows) for run in standing.runs), default=0)
    tested = np.full(count, np.nan) if report is None else standing.last(report)
    return {
        "strategy": standing.label,
        "queries": least if all(run.ended for run in standing.runs) else budget,
        "seeds": count,
        **_spread("validation", standing.last(first)),
        **_spread("test", tested),
        **_spread("value", final),
        "median_rank": median(ranks(scores, final)),
        "regret": mean(scores.max() - final),
        "regret_test": None if report is None else mean(report.max() - tested),
        "fraction_at_optimum": mean((final >= scores.max()).astype(float)),
        "mean_duplicates": mean(np.array(standing.duplicates, dtype=float)),
        "mean_failures": mean(np.array(standing.failures, dtype=float)),
        "ended": sum(run.ended for run in standing.runs),
        "errors": len(standing.errors),
        "target_rows": rows,
        "reached_target": mean(np.isfinite(reached).astype(float)),
        "mean_queries_to_target": mean(reached),
        "median_queries_to_target": median(reached),
        "uniform_mean_validation": uniform.expected(first, budget),
        "uniform_mean_value": uniform.expected(scores, budget),
        "uniform_mean_test": None if report is None else uniform.expected(report, budget),
        "uniform_regret": uniform.expected(scores.max() - scores, budget),
        "uniform_fraction_at_optimum": uniform.chance_of_best(budget),
        "uniform_mean_queries_to_target": len(scores) / rows,
    }


def _spread(name: str, entries: "Column") -> dict[str, float | None]:
    entries = entries[np.isfinite(entries)]
    deviation = float(entries.std(ddof=1)) if len(entries) > 1 else None
    error = None if deviation is None else deviation / len(entries) ** 0.5
    return {
        f"mean_{name}": mean(entries),
        f"sd_{name}": deviation,
        f"se_{name}": error,
        f"median_{name}": median(entries),
    }


def mean(entries: "Column") -> float | None:
    """The mean without NaN; None where there is none, or where it is infinite."""
    entries = entries[~np.isnan(entries)]
    return float(entries.mean()) if len(entries) and np.isfinite(entries).all() else None


def median(entries: "Column") -> float | None:
    """The median without NaN; None where there is none, or where it is infinite."""
    entries = entries[~np.isnan(entries)]
    found = float(np.median(entries)) if len(entries) else np.inf
    return found if np.isfinite(found) else None
