"""How NSGA-II orders what was measured: who dominates whom, fronts, and how alone a point is on its front."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy
from numpy.typing import NDArray

Point = tuple[float, ...]  # each objective, all to be made large


@dataclass(frozen=True)
class Measured:
    """Objectives, and by how much constraints are broken."""

    point: Point
    violation: float = 0.0

    def dominates(self, other: "Measured") -> bool:
        """Constrained domination: what breaks less wins; where neither breaks anything, what is nowhere worse."""
        if self.violation != other.violation:
            return self.violation < other.violation
        if self.violation:
            return False
        return self.point != other.point and all(a >= b for a, b in zip(self.point, other.point, strict=True))


def fronts(members: Sequence[Measured]) -> list[list[int]]:
    """Numbers of the members that nothing dominates, then of those that nothing left dominates, and so on."""
    above = _dominated(members)
    counts = above.sum(axis=0)  # how many dominate each
    found = []
    while (front := numpy.flatnonzero(counts == 0)).size:
        found.append(front.tolist())
        counts -= above[front].sum(axis=0)
        counts[front] = -1
    return found


def _dominated(members: Sequence[Measured]) -> NDArray[numpy.int64]:
    """(members, members): 1 where the first dominates the second, by `Measured.dominates`."""
    points = numpy.array([one.point for one in members], float)
    violations = numpy.array([one.violation for one in members])
    better = violations[:, None] < violations
    equal = (violations[:, None] == violations) & (violations == 0)
    nowhere_worse = (points[:, None] >= points).all(axis=2) & (points[:, None] != points).any(axis=2)
    return (better | equal & nowhere_worse).astype(numpy.int64)


def crowding(points: Sequence[Point]) -> list[float]:
    """For each point of a front how far its neighbours are apart, over all objectives; infinite at the ends.

    Gaps are measured in shares of an objective's range on this front.
    """
    distances = [0.0] * len(points)
    for column in range(len(points[0])):
        order = sorted(range(len(points)), key=lambda number: points[number][column])
        low, high = points[order[0]][column], points[order[-1]][column]
        distances[order[0]] = distances[order[-1]] = inf
        if low == high:
            continue
        for before, number, after in zip(order, order[1:], order[2:], strict=False):
            distances[number] += (points[after][column] - points[before][column]) / (high - low)
    return distances


def ranked(members: Sequence[Measured]) -> list[tuple[int, float]]:
    """For each member its front and, to be compared within one, its crowding distance turned: smaller is better."""
    return placed(members, fronts(members))


def placed(members: Sequence[Measured], sorted_in: Sequence[Sequence[int]]) -> list[tuple[int, float]]:
    """The same where the fronts are known."""
    places: dict[int, tuple[int, float]] = {}
    for number, front in enumerate(sorted_in):
        for member, distance in zip(front, crowding([members[one].point for one in front]), strict=True):
            places[member] = number, -distance
    return [places[number] for number in range(len(members))]
