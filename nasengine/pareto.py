"""Fronts: which of a search's networks no other one beats in everything, and how much of the plane they cover."""

from collections.abc import Sequence

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
    return all(a >= b for a, b in zip(one, other, strict=True))
