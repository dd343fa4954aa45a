"""Local search: every neighbour, the first that is better, a new climb from a top, nothing twice."""

import random

import pytest

from nasengine.errors import NasError
from nasengine.layers import Identity
from nasengine.search.propose import draws_of
from nasengine.search.strategy import Told
from nasengine.space import Architecture, Space, choose, op
from nasengine.strategies.local_search import LocalSearch
from nasengine.testing.strategies import agreement, search, table, uneven


def told(number: int, architecture: Architecture, value: float | None) -> Told:
    return Told(number, architecture, {}, value, None if value is not None else "it failed")


def climbing(space: Space, place: Architecture) -> LocalSearch:
    strategy = LocalSearch(space, starts=1)
    strategy.tell(told(0, place, 0.5))
    return strategy


def differences(one: Architecture, other: Architecture) -> list[str]:
    return [name for name in one.picks if name in other.picks and one.picks[name] != other.picks[name]]


def test_all_architectures_that_differ_in_one_decision_are_tried():
    space = table(3, 4)
    place = space.sample(random.Random(0))
    strategy = climbing(space, place)
    found = set()
    for number in range(1, 10):
        one = strategy.ask(draws_of(0, number))
        assert len(differences(place, one)) == 1
        found.add(one)
        strategy.tell(told(number, one, 0.1))
    assert len(found) == 9
    assert len(differences(place, strategy.ask(draws_of(0, 10)))) > 1, "at a top another climb starts"


def test_every_other_answer_is_a_neighbour_where_decisions_depend_on_each_other():
    space = uneven()
    place = space.check(
        {"blocks.depth": ("2",), "blocks.0.pair": ("a", "b"), "blocks.0.b.pool": ("none",), "blocks.1.pair": ("c",)}
        | {"last.pool": ("small",), "last.small.kernel": ("3",)}
    )
    changes = {(name, one.picks[name]) for one in climbing(space, place).untried for name in differences(place, one)}
    wanted = {
        (name, answer)
        for name, kept in place.picks.items()
        for answer in space.decisions[name].picks()
        if answer != kept
    }
    assert changes == wanted
    for one in climbing(space, place).untried:
        assert space.faults(one.picks) == []
        assert len(differences(place, one)) == 1


def test_a_condition_leaves_out_the_neighbours_that_break_it():
    free = table(3, 4)

    def unlike(one: Architecture) -> bool:
        return one.picks["step0.op"] != one.picks["step1.op"]

    space = Space("unlike", free.input, free.network, where=unlike)
    strategy = climbing(space, space.sample(random.Random(1)))
    assert len(strategy.untried) == 7 and all(unlike(one) for one in strategy.untried)


def test_the_first_better_neighbour_is_where_it_goes_on():
    space = table(3, 4)
    strategy = climbing(space, space.sample(random.Random(0)))
    better = strategy.ask(draws_of(0, 1))
    strategy.tell(told(1, better, 0.6))
    assert all(len(differences(better, one)) == 1 for one in strategy.untried)
    worse = strategy.ask(draws_of(0, 2))
    strategy.tell(told(2, worse, 0.55))
    assert worse not in strategy.untried and strategy.height == 0.6


def test_a_climb_starts_from_the_best_of_its_starts():
    space = table(4, 4)
    strategy = LocalSearch(space, starts=3)
    values = (0.2, 0.7, 0.3)
    places = [space.sample(random.Random(i)) for i in range(3)]
    for number, (place, value) in enumerate(zip(places, values, strict=True)):
        assert not strategy.untried
        strategy.tell(told(number, place, value))
    assert strategy.height == 0.7
    assert all(len(differences(places[1], one)) == 1 for one in strategy.untried)


def test_a_failure_is_no_place_to_stand_and_is_not_tried_again():
    space = table(2, 3)
    strategy = climbing(space, space.sample(random.Random(0)))
    for number in range(1, 5):
        one = strategy.ask(draws_of(0, number))
        strategy.tell(told(number, one, None))
        assert one not in strategy.untried
    assert strategy.height == 0.5 and not strategy.untried


@pytest.mark.parametrize("space", [table(3, 3), uneven().small(100)])
def test_it_ends_when_all_of_a_space_is_known_and_never_repeats(space):
    score = agreement(space, space.sample(random.Random("plant")))
    results = search(LocalSearch(space), score, 10_000)
    assert len(results) == len({one.architecture for one in results}) == space.count()


def test_a_late_result_of_an_earlier_climb_does_not_pull_it_down():
    space = table(4, 4)
    strategy = climbing(space, space.sample(random.Random(0)))
    open_ones = [strategy.ask(draws_of(0, number)) for number in range(1, 5)]
    strategy.tell(told(1, open_ones[0], 0.8))
    around = dict(strategy.untried)
    strategy.tell(told(2, open_ones[1], 0.1))
    assert strategy.height == 0.8
    assert set(around) - set(strategy.untried) <= {open_ones[1]}


def test_a_result_told_twice_at_a_top_starts_nothing():
    space = table(1, 3)
    strategy = climbing(space, space.sample(random.Random(0)))
    last = None
    for number in (1, 2):
        last = strategy.ask(draws_of(0, number))
        strategy.tell(told(number, last, 0.1))
    strategy.tell(told(3, last, 0.1))
    assert strategy.height == 0.5 and strategy.started == []


def test_decisions_with_very_many_answers_offer_some_of_them():
    answers = {f"option{i}": op(Identity) for i in range(14)}
    space = Space("wide", (1, 8, 8), choose("many", keep=(1, 14), **answers))
    strategy = climbing(space, space.sample(random.Random(0)))
    assert 200 < len(strategy.untried) <= 256


def test_no_starts_are_refused():
    with pytest.raises(NasError, match="starts=0 came; give at least 1"):
        LocalSearch(table(), starts=0)
