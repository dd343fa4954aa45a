"""Rare conditions are reached by steering; what has none, or one that does not say how far it is, is as ever."""

import hashlib
import random
from collections import Counter
from math import inf
from typing import Any

import pytest

from nasengine.errors import SpaceError
from nasengine.layers import Identity
from nasengine.space import Architecture, Space, chain, choose, op, repeat

STEPS, VALUES = 20, 4


class AtMost:
    """the answers' sum is small"""

    def __init__(self, bound: int, start: tuple[str, ...] | None = None):
        self.bound, self.start, self.asked = bound, start, 0

    def __call__(self, architecture: Architecture) -> bool:
        return self.violation(architecture) == 0

    def violation(self, architecture: Architecture) -> float:
        self.asked += 1
        picks = architecture.picks
        if self.start is not None and picks["step0.op"] != self.start:
            return inf
        return float(max(0, total(architecture) - self.bound))


def total(architecture: Architecture) -> int:
    return sum(int(kept[0][1:]) for kept in architecture.picks.values())


def digits(where: Any) -> Space:
    """Twenty decisions between 0, 1, 2 and 3."""
    answers: dict[str, Any] = {f"n{value}": op(Identity) for value in range(VALUES)}
    steps = {f"step{i}": choose("op", **answers) for i in range(STEPS)}
    return Space("digits", (1, 8, 8), chain(**steps), where=where)


def share(bound: int) -> float:
    """How many of the space's networks have a sum of at most this, exactly."""
    ways = Counter({0: 1})
    for _ in range(STEPS):
        ways = Counter({s: sum(ways[s - value] for value in range(VALUES)) for s in range(max(ways) + VALUES)})
    return sum(count for s, count in ways.items() if s <= bound) / VALUES**STEPS


def test_one_network_in_a_hundred_thousand_is_found_fast_and_they_differ() -> None:
    assert 1e-6 < share(9) < 1e-5
    where = AtMost(9)
    space = digits(where)
    made = [space.sample(random.Random(seed)) for seed in range(50)]
    assert all(total(one) <= 9 for one in made)
    assert where.asked < 50 * 500
    assert len(set(made)) == 50
    for name in space.decisions:  # even the answer that takes a third of the bound comes somewhere
        assert len({one.picks[name] for one in made}) >= 3
    assert {total(one) for one in made} > {8, 9}


def test_equal_random_numbers_steer_equally() -> None:
    space = digits(AtMost(10))
    for seed in range(3):
        assert space.sample(random.Random(seed)) == space.sample(random.Random(seed))


def test_wishes_are_kept_as_far_as_they_can_be() -> None:
    space = digits(AtMost(31))
    wishes = {name: ("n3",) for name in space.decisions}  # ten of them can be kept
    made = space.follow(wishes, random.Random(0))
    assert total(made) <= 31
    assert sum(made.picks[name] == kept for name, kept in wishes.items()) >= 9
    few = {name: wishes[name] for name in list(wishes)[:8]}
    made = space.follow(few, random.Random(0))
    assert {name: made.picks[name] for name in few} == few, "others have to give way"
    assert total(made) <= 31


def test_children_and_mutants_meet_the_condition_too() -> None:
    space, rng = digits(AtMost(10)), random.Random(1)
    a, b = space.sample(rng), space.sample(rng)
    for _ in range(5):
        child = space.cross(a, b, rng)
        assert total(child) <= 10 and child not in (a, b)
        mutant = space.mutate(a, rng)
        assert total(mutant) <= 10
        assert sum(mutant.picks[name] != kept for name, kept in a.picks.items()) == 1


def test_a_mutant_changes_more_where_one_change_is_never_legal() -> None:
    class Even(AtMost):
        def violation(self, architecture: Architecture) -> float:
            return float(abs(total(architecture) - self.bound))

    space = digits(Even(30))
    one = space.sample(random.Random(0))
    other = space.mutate(one, random.Random(1))
    assert total(one) == total(other) == 30 and one != other


def test_a_condition_without_a_measure_is_met_first() -> None:
    space = digits(AtMost(12, start=("n3",)))
    made = space.sample(random.Random(0))
    assert made.picks["step0.op"] == ("n3",) and total(made) <= 12


def test_what_cannot_be_is_refused_with_the_condition() -> None:
    with pytest.raises(SpaceError, match="the answers' sum is small"):
        digits(AtMost(-1)).sample(random.Random(0))


def test_a_costly_condition_is_not_asked_of_every_network() -> None:
    where = AtMost(25)
    size = digits(where).size()
    assert not size.exact and where.asked == 2000
    assert size.low <= share(25) * VALUES**STEPS <= size.high


def test_other_spaces_draw_what_they_always_drew() -> None:
    pair = choose("pair", keep=(1, 2), a=op(Identity), b=op(Identity), c=op(Identity))
    network = chain(blocks=repeat(pair, choose("depth", 1, 2, 3)), last=choose("last", x=op(Identity), y=op(Identity)))
    text = ""
    for where in (None, lambda one: "a" in one.picks["blocks.0.pair"]):
        space, rng = Space("any", (1, 8, 8), network, where=where), random.Random(7)
        for _ in range(20):
            a, b = space.sample(rng), space.sample(rng)
            text += repr([one.picks for one in (a, b, space.mutate(a, rng), space.cross(a, b, rng))])
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "3ea9b56b12edc96d"
