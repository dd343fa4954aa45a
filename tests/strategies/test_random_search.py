"""Random search: uniform, legal, and the same for the same random numbers."""

import random
from collections import Counter

import pytest

from nasengine.search.propose import draws_of
from nasengine.search.strategy import Told
from nasengine.search_spaces import darts
from nasengine.strategies.random_search import RandomSearch
from nasengine.testing.strategies import search, table, uneven


def test_proposals_are_legal_and_follow_the_random_numbers_alone():
    space = darts.space(input=(1, 8, 8), channels=4, layers=3)
    strategy = RandomSearch(space)
    first = strategy.ask(random.Random(1))
    assert space.faults(first.picks) == []
    strategy.tell(Told(0, first, {"validation_accuracy": 0.5}, 0.5))
    strategy.tell(Told(1, first, {}, None, "it failed"))
    assert strategy.ask(random.Random(1)) == first
    assert strategy.ask(random.Random(2)) != first


def test_every_operation_is_proposed_about_as_often():
    strategy = RandomSearch(darts.space(input=(1, 8, 8), channels=4, layers=3))
    rng = random.Random(0)
    counts = Counter(strategy.ask(rng).picks["normal.node0.in0.op"] for _ in range(2100))
    assert len(counts) == 7 and all(240 < count < 360 for count in counts.values())


@pytest.mark.parametrize("space", [table(3, 3), uneven().small(100)])
def test_without_repeats_it_ends_with_the_space(space):
    results = search(RandomSearch(space, repeats=False), lambda one: 0.5, 10_000)
    assert len(results) == len({one.architecture for one in results}) == space.count()
    assert RandomSearch(space, repeats=False).ask(draws_of(0, 0)) == RandomSearch(space).ask(draws_of(0, 0))


def test_without_repeats_failures_are_not_tried_again():
    space = table(1, 2)
    strategy = RandomSearch(space, repeats=False)
    first = strategy.ask(random.Random(0))
    strategy.tell(Told(0, first, {}, None, "it failed"))
    assert all(strategy.ask(draws_of(0, number)) != first for number in range(20))
