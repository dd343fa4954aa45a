"""Which group of seeds is better: the rank test of Mann and Whitney, corrected after Holm for all pairs.

Mann and Whitney (1947, https://doi.org/10.1214/aoms/1177730491). Seeds of two searches are not paired: nothing but
the number is common to them.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import comb
from statistics import mean

from nasengine.bench.significance import LEVEL, Pair, holm

LEAST = 3  # seeds on either side


def pairs(scores: Mapping[str, Sequence[float]]) -> list[Pair]:
    """Compare every two groups that have at least three scores (larger is better)."""
    able = [label for label, mine in scores.items() if len(mine) >= LEAST]
    raw = [_pair(one, other, scores[one], scores[other]) for one, other in combinations(able, 2)]
    return [pair._replace(p=p) for pair, p in zip(raw, holm([pair.p for pair in raw]), strict=True)]


def _pair(one: str, other: str, of_one: Sequence[float], of_other: Sequence[float]) -> Pair:
    from scipy.stats import mannwhitneyu

    by, seeds = mean(of_one) - mean(of_other), min(len(of_one), len(of_other))
    tied = len({*of_one, *of_other}) == 1
    p = 1.0 if tied else float(mannwhitneyu(of_one, of_other).pvalue)
    return Pair(one, other, by, p, seeds) if by >= 0 else Pair(other, one, -by, p, seeds)


def reach(seeds: int) -> float:
    """The smallest p that two groups of so many seeds can have, when all of one beat all of the other."""
    return 2 / comb(2 * seeds, seeds)


def enough(count: int) -> int:
    """How many seeds a group needs that so many comparisons at once can be significant at all."""
    seeds = LEAST
    while reach(seeds) * count >= LEVEL:
        seeds += 1
    return seeds
