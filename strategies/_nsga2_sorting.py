"""How NSGA-II orders what was measured: who dominates whom, fronts, and how alone a point is on its front."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

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
    """The fast non-dominated sort: numbers of the members that nothing dominates, then of those left, and so on."""
    below: list[list[int]] = [[] for _ in members]
    above = [0] * len(members)  # how many dominate each
    for a, one in enumerate(members):
        for b, other in enumerate(members):
            if one.dominates(other):
                below[a].append(b)
                above[b] += 1
    found, front = [], [number for number, count in enumerate(above) if not count]
    while front:
        found.append(front)
        following = []
        for a in front:
            for b in below[a]:
                above[b] -= 1
                if not above[b]:
                    following.append(b)
        front = sorted(following)
    return found


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
    places: dict[int, tuple[int, float]] = {}
    for number, front in enumerate(fronts(members)):
        for member, distance in zip(front, crowding([members[one].point for one in front]), strict=True):
            places[member] = number, -distance
    return [places[number] for number in range(len(members))]
