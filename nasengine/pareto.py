"""Fronts: which of a search's networks no other one beats in everything, and how much of the plane they cover."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import ge
from typing import Any

from nasengine.errors import NasError
from nasengine.search.objective import Goal

Point = tuple[float, ...]  # each objective, all to be made large


def front(points: Sequence[Point]) -> list[int]:
    """Numbers of the points that no other one beats: nowhere worse and somewhere better; of equal points the first."""
    found: list[int] = []
    for number in sorted(range(len(points)), key=lambda one: (points[one], -one), reverse=True):
        if not any(_covers(points[other], points[number]) for other in found):
            found.append(number)
    return sorted(found)


def hypervolume(points: Sequence[Point], reference: Point) -> float:
    """The volume between a reference point and all that these points are at least as good as.

    Zitzler and Thiele, 1998 (https://doi.org/10.1007/BFb0056872). Exact for any number of objectives, by slices along
    the last of them.
    """
    return _volume([point for point in points if all(a > b for a, b in zip(point, reference, strict=True))], reference)


def _volume(points: Sequence[Point], reference: Point) -> float:
    """Slices along the last objective, the best ones first; each is as wide as all points up there cover."""
    if len(reference) == 1:
        return max((point[0] for point in points), default=reference[0]) - reference[0]
    total, above = 0.0, list[Point]()
    ordered = sorted(points, key=lambda point: point[-1], reverse=True)
    for number, point in enumerate(ordered):
        above = [one for one in above if not _covers(point[:-1], one)] + [point[:-1]]
        below = ordered[number + 1][-1] if number + 1 < len(ordered) else reference[-1]
        if point[-1] > below:
            total += (point[-1] - below) * _volume(above, reference[:-1])
    return total


def _covers(one: Point, other: Point) -> bool:
    return all(map(ge, one, other))


@dataclass(frozen=True)
class Trials:
    """A search's trained candidates under a goal, in the order in which they came, and the point that volumes are from.

    `rows` hold trial, values, and seconds: those that all candidates up to this one had taken.
    """

    goal: Goal
    rows: Sequence[Mapping[str, Any]]
    infeasible: int  # candidates that break a bound
    lacking: int  # candidates that an objective says nothing of
    reference: Point  # as the objectives are, not turned

    @cached_property
    def points(self) -> list[Point]:
        """Their objectives, turned so that larger is better."""
        return [self.goal.each(row["values"]) for row in self.rows]

    @cached_property
    def best(self) -> list[Mapping[str, Any]]:
        """The rows on the front, the best by the first objective first."""
        rows = [self.rows[number] for number in front(self.points)]
        return sorted(rows, key=lambda row: self.goal.each(row["values"]), reverse=True)

    def volumes(self) -> list[tuple[int, float, float]]:
        """After each candidate: how many there were, what they took in seconds, and the hypervolume of their front."""
        return [(row["count"], row["seconds"], v) for row, v in zip(self.rows, self._volumes, strict=True)]

    @cached_property
    def _volumes(self) -> list[float]:
        """Worked out anew only after a candidate that moved the front."""
        turned = tuple(one.sign * value for one, value in zip(self.goal.free, self.reference, strict=True))
        found: list[float] = []
        above: list[Point] = []
        for point in self.points:
            if not found or not any(_covers(one, point) for one in above):
                above = [*(one for one in above if not _covers(point, one)), point]
                found.append(hypervolume(above, turned))
            else:
                found.append(found[-1])
        return found


def trials(results: Sequence[Mapping[str, Any]], goal: Goal, reference: Sequence[float] = ()) -> Trials:
    """Read a search's results; without a reference it is the worst of each objective among them."""
    if len(goal.free) < 2:
        raise NasError(
            f"front: {' and '.join(map(str, goal.objectives))} came; a front has at least two objectives without a "
            "bound: add another, such as --objective accuracy --objective min:params"
        )
    rows, infeasible, lacking, seconds = [], 0, 0, 0.0
    bounded = bool(goal.bounds)
    done = [row for row in results if row["kind"] == "candidate" and row["state"] == "complete"]
    for count, row in enumerate(done, 1):
        seconds += row["seconds"] or 0.0
        figures = {name: row[name] for name in ("params", "macs", "seconds") if row[name] is not None}
        values = {**figures, **row["values"]}
        if goal.missing(values):
            lacking += 1
        elif bounded and goal.violation(values):
            infeasible += 1
        else:
            rows.append({"trial": row["trial"], "values": values, "seconds": seconds, "count": count})
    if not rows:
        recorded = ", ".join(_recorded(done)) or "no values"
        raise NasError(
            f"front: of {len(done)} candidates {infeasible} break a bound and {lacking} lack one of "
            f"{', '.join(one.name for one in goal.objectives)}; recorded are {recorded}"
        )
    if reference and len(reference) != len(goal.free):
        raise NasError(f"front: {len(reference)} numbers came as the reference; give one for each of {len(goal.free)}")
    worst = tuple(one.sign * min(one.sign * row["values"][one.name] for row in rows) for one in goal.free)
    return Trials(goal, rows, infeasible, lacking, tuple(reference) or worst)


def _recorded(done: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for row in done for name in ("params", "macs", "seconds", *row["values"])))
