"""How far two rankings of the same things agree: Kendall's tau-b and Spearman's rho, with bootstrap intervals.

Kendall (1945, https://doi.org/10.1093/biomet/33.3.239); Spearman (1904, https://doi.org/10.2307/1412159);
Efron (1979, https://doi.org/10.1214/aos/1176344552).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nasengine.bench.statistics import BAND

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Column = NDArray[np.float64]

RESAMPLES = 2000
LEAST = 3  # things that can be ranked at all


class Agreement(NamedTuple):
    """Tau-b with the ends of its 95 % interval, and rho, over so many things; NaN where nothing can be said."""

    tau: float
    low: float
    high: float
    rho: float
    samples: int


def agreement(one: Sequence[float], other: Sequence[float], seed: int = 0) -> Agreement:
    """Compare two columns over the same things; a thing without a finite entry in both is left out.

    The interval is that of the percentiles over resamples of the things, drawn by the seed: it says how far another
    sample of things might differ, not how far other trainings of the same things would. Resamples in which all are
    tied say nothing and are left out.
    """
    a, b = np.array([one, other], dtype=np.float64).reshape(2, -1)
    a, b = (column[np.isfinite(a) & np.isfinite(b)] for column in (a, b))
    if len(a) < LEAST:
        return Agreement(np.nan, np.nan, np.nan, np.nan, len(a))
    order_a, order_b = _order(a), _order(b)
    drawn = np.random.default_rng(seed).integers(len(a), size=(RESAMPLES, len(a)))
    resampled = np.array([_tau(order_a[np.ix_(some, some)], order_b[np.ix_(some, some)]) for some in drawn])
    told = resampled[np.isfinite(resampled)]
    low, high = np.percentile(told, BAND) if len(told) else (np.nan, np.nan)
    return Agreement(_tau(order_a, order_b), float(low), float(high), rho(a, b), len(a))


def tau_b(one: Sequence[float], other: Sequence[float]) -> float:
    """Kendall's tau-b: pairs in the same order less pairs in the opposite one, by those that are tied in neither.

    NaN where all entries of a column are equal.
    """
    return _tau(_order(np.asarray(one, np.float64)), _order(np.asarray(other, np.float64)))


def rho(one: "Sequence[float] | Column", other: "Sequence[float] | Column") -> float:
    """Spearman's rho: the correlation of the ranks, those of ties being their mean; NaN where all are tied."""
    from scipy.stats import rankdata

    a, b = (rankdata(column) - (len(one) + 1) / 2 for column in (one, other))
    scale = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / scale) if scale else float("nan")


def _order(column: "Column") -> "Column":
    """The sign of every difference (things, things)."""
    return np.sign(column[:, None] - column[None, :])


def _tau(order_a: "Column", order_b: "Column") -> float:
    scale = np.sqrt((order_a * order_a).sum() * (order_b * order_b).sum())
    return float((order_a * order_b).sum() / scale) if scale else float("nan")
