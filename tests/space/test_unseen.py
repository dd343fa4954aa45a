"""Drawing what has not been seen: exact in a small space, honest about its limit in a large one."""

import random
from collections import Counter

from nasengine.layers import Identity
from nasengine.space import Architecture, Space, chain, choose, op
from nasengine.space.unseen import Unseen


def steps(number: int, where=None) -> Space:
    answers = {f"option{i}": op(Identity) for i in range(3)}
    return Space("steps", (1, 8, 8), chain(**{f"step{i}": choose("op", **answers) for i in range(number)}), where=where)


def test_everything_is_drawn_once():
    space, rng = steps(4), random.Random(0)
    unseen = Unseen(space)
    found = []
    while (one := unseen.draw(rng)) is not None:
        assert one in unseen
        unseen.remove(one)
        assert one not in unseen
        found.append(one)
    assert set(found) == set(space.enumerate()) and len(found) == 81


def test_drawing_changes_nothing():
    unseen = Unseen(steps(2))
    assert unseen.draw(random.Random(1)) == unseen.draw(random.Random(1))
    assert all(one in unseen for one in unseen.space.enumerate())


def test_what_is_left_is_drawn_about_equally_often():
    unseen, rng = Unseen(steps(2)), random.Random(0)
    for one in unseen.space.first(6):
        unseen.remove(one)
    counts = Counter(unseen.draw(rng) for _ in range(900))
    assert len(counts) == 3 and all(240 < count < 360 for count in counts.values())


def test_a_rare_last_one_is_found_by_listing():
    space = steps(8)  # 6,561: a thousand draws find one of them in one case of seven
    unseen = Unseen(space)
    everything = list(space.enumerate())
    for one in everything[:-1]:
        unseen.remove(one)
    assert all(unseen.draw(random.Random(seed)) == everything[-1] for seed in range(10))


def test_a_space_too_large_to_list_ends_after_so_many_draws():
    class All(set[Architecture]):
        def __contains__(self, one: object) -> bool:
            return True

    unseen = Unseen(steps(12))
    unseen.seen = All()
    assert unseen.draw(random.Random(0)) is None


def test_only_what_meets_the_condition_is_left():
    def first(one: Architecture) -> bool:
        return one.picks["step0.op"] == ("option0",)

    unseen, rng = Unseen(steps(2, first)), random.Random(0)
    for _ in range(3):
        one = unseen.draw(rng)
        assert one is not None and first(one)
        unseen.remove(one)
    assert unseen.draw(rng) is None
