"""Fronts, and the volume that they cover."""

import random

import pytest

from nasengine import pareto
from nasengine.pareto import front, hypervolume
from nasengine.search.objective import Goal


def test_the_front_is_what_nothing_beats() -> None:
    # the example of NSGA-II's sort (Deb et al., 2002, https://doi.org/10.1109/4235.996017), turned to be made large
    points = [(-1.0, -5.0), (-2.0, -3.0), (-4.0, -1.0), (-3.0, -4.0), (-5.0, -5.0)]
    assert front(points) == [0, 1, 2]
    assert front([*points, points[1]]) == [0, 1, 2], "of equal points the first"
    assert front([(1.0,), (3.0,), (3.0,)]) == [1]
    assert front([]) == []


@pytest.mark.parametrize(("reference", "volume"), [(1.0, 2 / 3), (1.1, 0.876667)])
def test_the_hypervolume_of_zdt1s_front(reference: float, volume: float) -> None:
    # f2 = 1 - sqrt(f1) (Zitzler, Deb and Thiele, 2000, https://doi.org/10.1162/106365600568202), to be made small;
    # by integration 2/3 up to (1, 1), and 2/3 + 0.1 + 1.1 * 0.1 up to (1.1, 1.1)
    points = [(-i / 4000, (i / 4000) ** 0.5 - 1) for i in range(4001)]
    assert hypervolume(points, (-reference, -reference)) == pytest.approx(volume, abs=2e-4)


def test_hypervolumes_of_boxes() -> None:
    assert hypervolume([(2.0, 1.0), (1.0, 2.0)], (0.0, 0.0)) == 3.0
    assert hypervolume([(2.0, 1.0), (1.0, 2.0), (1.0, 1.0)], (0.0, 0.0)) == 3.0
    assert hypervolume([(2.0, -1.0)], (0.0, 0.0)) == 0.0, "what is behind the reference does not count"
    assert hypervolume([(5.0,), (3.0,)], (1.0,)) == 4.0
    assert hypervolume([(1.0, 2.0, 3.0)], (0.0, 0.0, 0.0)) == 6.0
    assert hypervolume([(1.0, 2.0, 3.0), (2.0, 1.0, 1.0)], (0.0, 0.0, 0.0)) == 7.0


def test_three_objectives_cover_what_chance_hits() -> None:
    rng = random.Random(0)
    points = [(rng.random(), rng.random(), rng.random()) for _ in range(8)]
    drawn = [(rng.random(), rng.random(), rng.random()) for _ in range(20_000)]
    hit = sum(any(all(a >= b for a, b in zip(p, d, strict=True)) for p in points) for d in drawn) / len(drawn)
    assert hypervolume(points, (0.0, 0.0, 0.0)) == pytest.approx(hit, abs=0.01)


def test_a_volume_is_worked_out_only_where_the_front_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    rng, seen = random.Random(0), []
    rows = [
        {"trial": number, "kind": "candidate", "state": "complete", "params": rng.randrange(1, 100), "macs": None,
         "seconds": 1.0, "values": {"validation_accuracy": rng.random()}}
        for number in range(300)
    ]  # fmt: skip
    found = pareto.trials(rows, Goal.parse(["max:validation_accuracy", "min:params"]))
    monkeypatch.setattr(pareto, "hypervolume", lambda *given: seen.append(given) or hypervolume(*given))
    volumes = [value for _, _, value in found.volumes()]
    turned = (found.reference[0], -found.reference[1])
    assert volumes == [pytest.approx(hypervolume(found.points[: n + 1], turned)) for n in range(300)]
    assert len(seen) < 60
