"""NSGA-II (Deb et al., 2002, https://doi.org/10.1109/4235.996017): its sort, its crowding, its choice, its front."""

import random
from math import inf
from statistics import mean

import pytest

from nasengine.errors import NasError
from nasengine.pareto import hypervolume
from nasengine.plugins import load_strategy, strategy_class
from nasengine.search.propose import draws_of
from nasengine.search.strategy import Told
from nasengine.space import Architecture, Space
from nasengine.strategies._nsga2_sorting import Measured, crowding, fronts, ranked
from nasengine.testing.strategies import table

POINTS = [(1, 5), (2, 3), (4, 1), (3, 4), (5, 5)]  # to be made small


def small(points: list[tuple[int, int]]) -> list[Measured]:
    return [Measured((-float(x), -float(y))) for x, y in points]


def test_points_are_sorted_into_fronts() -> None:
    assert fronts(small(POINTS)) == [[0, 1, 2], [3], [4]]


def test_equal_points_share_a_front() -> None:
    assert fronts(small([(1, 1), (2, 2), (1, 1)])) == [[0, 2], [1]]


def test_crowding_is_the_sum_of_the_gaps_in_shares_of_the_range() -> None:
    front = [one.point for one in small(POINTS[:3])]
    assert crowding(front) == [inf, (4 - 1) / (4 - 1) + (5 - 1) / (5 - 1), inf]
    assert crowding([(3.0, 3.0)]) == [inf]
    assert crowding([(0.0, 1.0), (1.0, 1.0), (4.0, 1.0)]) == [inf, 1.0, inf]  # a range of nothing says nothing


def test_what_breaks_less_dominates_and_what_breaks_nothing_dominates_all_that_does() -> None:
    good, poor = Measured((0.9, 0.9), violation=0.2), Measured((0.1, 0.1))
    assert poor.dominates(good) and not good.dominates(poor)
    assert Measured((0.0, 0.0), 0.1).dominates(good)
    assert not good.dominates(Measured((0.1, 0.1), 0.2)), "of equal violation neither is better"
    assert fronts([good, poor, Measured((0.5, 0.0), 0.1)]) == [[1], [2], [0]]


def test_ranks_are_by_front_then_by_room() -> None:
    places = ranked(small([(1, 5), (2, 3), (2, 4), (4, 1), (3, 2)]))
    assert [front for front, _ in places] == [0, 0, 1, 0, 0]
    assert places[0] < places[1] < places[4] < places[2]


def told(number: int, architecture: Architecture, *objectives: float, violation: float = 0.0) -> Told:
    return Told(number, architecture, {}, objectives[0], None, objectives, violation=violation)


def test_the_best_of_members_and_children_live_on() -> None:
    space = table()
    strategy = load_strategy("nsga2", space, {"population": 2})
    some = random.Random(0)
    ones = [space.sample(some) for _ in range(6)]
    for number, (one, point) in enumerate(zip(ones, [(1.0, 1.0), (0.5, 2.0), (0.4, 1.9), (3.0, 0.0)], strict=False)):
        strategy.tell(told(number, one, *point))
    assert set(strategy.members) == {ones[1], ones[3]}, "the first front has three, of which the ends have most room"
    strategy.tell(told(4, ones[4], 9.0, 9.0, violation=0.1))
    strategy.tell(Told(5, ones[5], {}, None, "out of memory"))
    assert set(strategy.members) == {ones[1], ones[3]} and strategy.children == [ones[4]]


def test_nothing_comes_twice_and_a_space_that_is_done_ends() -> None:
    space = table(decisions=3, options=3)
    strategy = strategy_class("nsga2")(space)
    seen: list[Architecture] = []
    while (made := strategy.ask(draws_of(0, len(seen)))) is not None:
        strategy.tell(told(len(seen), made, random.Random(len(seen)).random(), 1.0))
        seen.append(made)
    assert len(seen) == len(set(seen)) == 27


def test_its_front_covers_more_than_random_search_does() -> None:
    space = table()

    def objectives(one: Architecture) -> tuple[float, float]:
        digits = [int(kept[0].removeprefix("option")) for kept in one.picks.values()]
        return sum(digits[:5]) / 20, sum(4 - digit for digit in digits[3:]) / 20  # they share two decisions

    def covered(name: str, seed: int) -> float:
        strategy, points = strategy_class(name)(space), []
        for number in range(120):
            made = strategy.ask(draws_of(seed, number))
            points.append(objectives(made))
            strategy.tell(told(number, made, *points[-1]))
        return hypervolume(points, (0.0, 0.0))

    own, chance = (mean(covered(name, seed) for seed in range(3)) for name in ("nsga2", "random-search"))
    assert own > 1.05 * chance


@pytest.mark.parametrize(
    "options", [{"population": 1}, {"crossover": 1.5}, {"mutation": -1.0}], ids=["population", "crossover", "mutation"]
)
def test_impossible_options_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(NasError, match=f"strategy nsga2: came with {next(iter(options))}="):
        load_strategy("nsga2", table(), options)


def test_a_space_with_one_network_is_no_trap() -> None:
    space = Space("one", (1, 8, 8), table(1, 2).network).restrict({"step0.op": ["option0"]})
    strategy = strategy_class("nsga2")(space, population=2)
    made = strategy.ask(random.Random(0))
    strategy.tell(told(0, made, 1.0))
    assert strategy.ask(random.Random(1)) is None
