"""How well cheap scores rank networks: Kendall's tau wherever two measures of the same networks are recorded.

Kendall (1945, https://doi.org/10.1093/biomet/33.3.239). For few networks the interval is a bootstrap's, for many that
of Fieller, Hartley and Pearson (1957, https://doi.org/10.1093/biomet/44.3-4.470).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import atanh, inf, isfinite, sqrt, tanh
from statistics import fmean

import numpy as np

from nasengine.bench.agreement import LEAST, Agreement, agreement
from nasengine.job import COMPARED, Json
from nasengine.report.findings import Findings, figures_of

MANY = 150  # networks, from which on the interval is computed and not drawn
FIELLER = 0.437  # variance of atanh(tau) times (networks - 4)
TIMES_95 = 1.96
MARKS = 12  # epochs at which curves are compared with their ends
NO_SCORE = ("seconds", "epoch")


@dataclass(frozen=True)
class Ranking:
    """One comparison: of which kind, what was cheap, what it is compared with, and how far they agree.

    `points` are (cheap, dear, name of the network), as many as are drawn.
    """

    kind: str
    cheap: str
    dear: str
    told: Agreement
    points: Sequence[tuple[float, float, str]] = ()


def rankings(found: Findings) -> list[Ranking]:
    """Every comparison with at least three networks, by kind: inherited weights, rounds, other searches, own values."""
    made = [*_inherited(found), *_other_searches(found), *_own_values(found)]
    return [one for one in made if one.told.samples >= LEAST and isfinite(one.told.tau)]


def compared(pairs: Sequence[tuple[float, float]]) -> Agreement:
    """Kendall's tau-b of two columns with its 95 % interval."""
    columns = np.array([pair for pair in pairs if all(map(isfinite, pair))], np.float64).reshape(-1, 2)
    if len(columns) <= MANY:
        return agreement(*columns.T)
    from scipy.stats import kendalltau, spearmanr

    tau, rho = (float(how(*columns.T).statistic) for how in (kendalltau, spearmanr))
    half = TIMES_95 * sqrt(FIELLER / (len(columns) - 4))
    middle = atanh(tau) if abs(tau) < 1 else (inf if tau > 0 else -inf)
    return Agreement(tau, tanh(middle - half), tanh(middle + half), rho, len(columns))


def _inherited(found: Findings) -> Iterator[Ranking]:
    for one in found.fidelities:
        points = [
            (pair.inherited, pair.trained, f"network {pair.number}")
            for pair in one.pairs
            if pair.inherited is not None and pair.trained is not None
        ]
        dear = f"their own training ({one.name})"
        yield Ranking("inherited weights", f"with the weights of {one.supernet}", dear, one.agreement, points)
        for figure, told in one.baselines.items():
            yield Ranking("size alone", figure, dear, told)


def _other_searches(found: Findings) -> Iterator[Ranking]:
    """Values of the same networks in other searches on the same data."""
    first, sign = found.goal.first, found.goal.objectives[0].sign
    mine = {row["digest"]: figures_of(row).get(first) for row in reversed(found.ranked) if row["digest"]}
    others: dict[str, dict[str, tuple[float, float, str]]] = {}
    for row in found.elsewhere:
        dear = (row["values"] or {}).get(first)
        cheap = mine.get(row["digest"])
        if row["kind"] == "candidate" and dear is not None and cheap is not None:
            point = (sign * cheap, sign * dear, f"trial {row['number']} of {row['search']}")
            others.setdefault(f"in {row['search']} ({row['evaluator']})", {})[row["digest"]] = point
    here = f"here ({found.search['evaluator']})"
    for where, points in others.items():
        yield _ranking("another search", f"{words(first)} {here}", f"{words(first)} {where}", [*points.values()])


def _own_values(found: Findings) -> Iterator[Ranking]:
    """Every other value of a candidate, and its size, against the value that the search went by; networks once each."""
    first, sign = found.goal.first, found.goal.objectives[0].sign
    unique = {row["digest"] or row["id"]: row for row in found.ranked}.values()
    figures = [(figures_of(row), f"trial {row['trial']}") for row in unique]
    names = dict.fromkeys(name for values, _ in figures for name in values)
    for name in names:
        if name == first or name in NO_SCORE or name.endswith("_loss"):
            continue
        points = [(v[name], sign * v[first], label) for v, label in figures if name in v and first in v]
        kind = "size alone" if name in ("params", "macs") else "another value"
        yield _ranking(kind, words(name), words(first), points)


def _ranking(kind: str, cheap: str, dear: str, points: Sequence[tuple[float, float, str]]) -> Ranking:
    return Ranking(kind, cheap, dear, compared([point[:2] for point in points]), points)


@dataclass(frozen=True)
class Early:
    """How far networks after so many epochs rank as they do at the end; over those trained to the end."""

    metric: str
    epochs: Sequence[int]
    told: Sequence[Agreement]


def early(found: Findings) -> Early | None:
    """Compare early epochs with last ones, over a sample of candidates trained equally long; None for too few."""
    curves = [found.curves[number] for number in found.sample if number in found.curves]
    lengths = [len(curve) for curve in curves]
    if not lengths:
        return None
    longest = max(set(lengths), key=lengths.count)
    whole = [curve for curve in curves if len(curve) == longest]
    metric = metric_of(found, whole)
    if longest < 2 or len(whole) < LEAST or metric is None:
        return None
    sign = -1 if metric.endswith("_loss") else 1
    columns = [[sign * value if (value := e.get(metric)) is not None else np.nan for e in curve] for curve in whole]
    step = -(-(longest - 1) // MARKS)
    places = range((longest - 2) % step, longest - 1, step)
    told = [compared([(column[at], column[-1]) for column in columns]) for at in places]
    if not any(isfinite(one.tau) for one in told):
        return None
    return Early(metric, [int(whole[0][at]["epoch"]) for at in places], told)


def metric_of(found: Findings, curves: Sequence[Sequence[Mapping[str, float]]]) -> str | None:
    """The value of epochs that curves are drawn of: the goal's own where epochs have it, else that of the task."""
    names = list(dict.fromkeys(name for curve in curves for name in curve[-1]))
    wanted = (found.goal.first, *(f"validation_{name}" for name in COMPARED))
    likely = [name for name in names if name.startswith("validation_") and not name.endswith("_loss")]
    return next((name for name in (*wanted, *likely) if name in names), None)


def rounds(found: Findings) -> list[Json]:
    """How well a strategy's own predictions held, round by round: told (results then), tau, candidates."""
    return [
        remark["values"]
        for remark in found.said
        if remark["kind"] == "fidelity" and (remark["values"] or {}).get("tau") is not None
    ]


def mean_of_rounds(taus: Sequence[float]) -> tuple[float, float, float]:
    """Their mean with its 95 % interval, by bootstrap over the rounds."""
    drawn = np.random.default_rng(0).choice(taus, (2000, len(taus))).mean(axis=1)
    low, high = np.percentile(drawn, (2.5, 97.5))
    return fmean(taus), float(low), float(high)


def words(name: str) -> str:
    """A value's name as text: parameters, multiply-adds, validation accuracy."""
    spelled = {"params": "parameters", "macs": "multiply-adds", "seconds": "training time"}
    return spelled.get(name, name.replace("_", " "))
