"""A space within bounds: every way of making an architecture keeps them, and what cannot be is said at once."""

import random
from collections.abc import Mapping

import pytest

from nasengine import plugins
from nasengine.errors import SpaceError, TableError
from nasengine.interpreters.cost import cost
from nasengine.search.constraints import bounded
from nasengine.search.objective import Goal
from nasengine.space import Architecture, Space


@pytest.fixture(scope="module")
def space() -> Space:
    return plugins.load_space("metaformer", {"input": (1, 16, 16)})


def figures(space: Space, architecture: Architecture) -> Mapping[str, float]:
    found = cost(space, architecture)
    return {"params": float(found.params), "macs": float(found.macs)}


def within(space: Space, *objectives: str) -> Space:
    return bounded(space, Goal.parse(["accuracy", *objectives]), lambda one: figures(space, one))


def test_every_way_to_an_architecture_keeps_the_bounds(space: Space) -> None:
    small, rng = within(space, "params<330k", "macs<5M"), random.Random(0)
    one, other = small.sample(rng), small.sample(rng)
    made = [
        one,
        other,
        small.mutate(one, rng),
        small.cross(one, other, rng),
        small.follow(space.sample(rng).picks, rng),
    ]
    for architecture in made:
        assert figures(space, architecture)["params"] <= 330e3 and figures(space, architecture)["macs"] <= 5e6
        assert small.faults(architecture.picks) == []
    assert len(set(made)) == len(made)
    large = next(one for one in (space.sample(rng) for _ in range(100)) if cost(space, one).params > 330e3)
    assert small.faults(large.picks) == [
        "the picks break the condition of the space: params is at most 330,000 (an objective of this search); "
        "macs is at most 5,000,000 (an objective of this search)"
    ]


def test_the_spaces_own_condition_holds_still() -> None:
    plain = plugins.load_space("nasbench101", {"input": (1, 8, 8), "channels": 8})
    assert plain.where is not None
    small = within(plain, "params<20k")
    for seed in range(3):
        made = small.sample(random.Random(seed))
        assert plain.where(made) and cost(plain, made).params <= 20e3


def test_each_figure_is_asked_for_once(space: Space) -> None:
    asked: list[Architecture] = []

    def estimate(one: Architecture) -> Mapping[str, float]:
        asked.append(one)
        return figures(space, one)

    small = bounded(space, Goal.parse(["accuracy", "params<1M"]), estimate)
    made = small.sample(random.Random(0))
    assert small.where is not None and small.where(made) and len(asked) == len(set(asked))


@pytest.mark.parametrize(
    ("objectives", "reward"),
    [(["accuracy"], "constraint"), (["accuracy", "seconds<3"], "constraint"), (["accuracy", "params<1M"], "soft")],
)
def test_without_a_bound_that_is_known_before_it_is_the_space_itself(objectives: list[str], reward: str) -> None:
    space = plugins.load_space("small_cell")
    assert bounded(space, Goal.parse(objectives, reward), lambda one: {}) is space  # type: ignore[arg-type]


def test_a_bound_out_of_reach_is_refused_with_the_smallest_value_there_is(space: Space) -> None:
    small = space.small(200)
    least = min(cost(small, one).params for one in small.enumerate())
    with pytest.raises(SpaceError, match=f"params<1000.0 came; the smallest params that was found is {least:,}"):
        within(small, "params<1k")


def test_bounds_that_exclude_each_other_are_said_to(space: Space) -> None:
    def opposed(one: Architecture) -> Mapping[str, float]:
        deep = sum(len(kept) for name, kept in one.picks.items() if kept == ("2",)) + 1.0
        return {"params": deep, "macs": 30.0 / deep}

    with pytest.raises(
        SpaceError, match="within params<4.0 and macs<7.0 at once; the smallest values.* params 1, macs"
    ):
        bounded(space, Goal.parse(["accuracy", "params<4", "macs<7"]), opposed)


def test_what_a_table_does_not_have_is_outside() -> None:
    space = plugins.load_space("small_cell")
    rows = space.first(3)

    def estimate(one: Architecture) -> Mapping[str, float]:
        if one not in rows:
            raise TableError("no row")
        return {"params": 5.0}

    small = bounded(space, Goal.parse(["accuracy", "params<9"]), estimate)
    assert {small.sample(random.Random(seed)) for seed in range(9)} <= set(rows)
