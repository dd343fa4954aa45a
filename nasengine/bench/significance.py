"""Which strategy beats which: Wilcoxon's signed-rank test over the same seeds, corrected after Holm for all pairs.

Wilcoxon (1945, https://doi.org/10.2307/3001968); Holm (1979, https://www.jstor.org/stable/4615733).
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEVEL = 0.05


class Pair(NamedTuple):
    """Two strategies: `better` has the higher ranks of differences; `p` is corrected for the number of pairs."""

    better: str
    worse: str
    difference: float  # mean over the seeds of better minus worse
    p: float
    seeds: int

    @property
    def significant(self) -> bool:
        """Whether chance alone would rarely do this."""
        return self.p < LEVEL


def compare(scores: Mapping[str, Mapping[int, float]]) -> list[Pair]:
    """Compare every two strategies by their scores (larger is better) under the seeds that both have."""
    raw = [_pair(a, b, scores[a], scores[b]) for a, b in combinations(scores, 2)]
    corrected = holm([pair.p for pair in raw])
    return [pair._replace(p=p) for pair, p in zip(raw, corrected, strict=True)]


def holm(ps: Sequence[float]) -> list[float]:
    """p-values such that rejecting those below a level errs once or more with at most that probability."""
    adjusted, largest = [0.0] * len(ps), 0.0
    for place, index in enumerate(sorted(range(len(ps)), key=lambda index: ps[index])):
        largest = max(largest, min(1.0, (len(ps) - place) * ps[index]))
        adjusted[index] = largest
    return adjusted


def _pair(a: str, b: str, of_a: Mapping[int, float], of_b: Mapping[int, float]) -> Pair:
    common = sorted(of_a.keys() & of_b.keys())
    gains = np.array([of_a[seed] - of_b[seed] for seed in common])
    gains = gains[np.isfinite(gains)]
    if not gains.any():
        return Pair(a, b, 0.0, 1.0, len(gains))
    p, lead = _signed_rank(gains)
    return Pair(a, b, float(gains.mean()), p, len(gains)) if lead >= 0 else Pair(
        b, a, float(-gains.mean()), p, len(gains)
    )  # fmt: skip


def _signed_rank(gains: "NDArray[np.float64]") -> tuple[float, float]:
    """The two-sided p-value, and the sum of signed ranks; seeds without a difference are left out."""
    from scipy.stats import rankdata, wilcoxon

    different = gains[gains != 0]
    return float(wilcoxon(different).pvalue), float((np.sign(different) * rankdata(np.abs(different))).sum())
