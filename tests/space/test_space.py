"""A space: what it draws is legal, what it refuses it explains."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasengine.errors import SpaceError
from nasengine.space import Architecture, Node, Space, chain, choose, op, repeat
from tests.space.random_spaces import PROPERTY, Layer, Pool, spaces

RANDOMS = st.randoms(use_true_random=False)


def mixer() -> Node:
    return choose("mixer", conv=op(Layer, kernel=choose("kernel", 3, 5, 7)), pool=op(Pool))


def space(**more: object) -> Space:
    return Space("tried", (3, 8, 8), chain(a=mixer(), b=repeat(mixer(), choose("depth", 0, 1))), **more)  # type: ignore[arg-type]


@PROPERTY
@given(spaces(), RANDOMS)
def test_samples_and_children_are_legal(space: Space, rng: random.Random) -> None:
    a, b = space.sample(rng), space.sample(rng)
    for made in (a, b, space.cross(a, b, rng)):
        assert space.check(made.picks) == made
        assert space.where is None or space.where(made)
        assert list(space.check(dict(reversed(made.picks.items()))).picks) == list(made.picks)


@PROPERTY
@given(spaces(), RANDOMS)
def test_a_mutation_changes_something(space: Space, rng: random.Random) -> None:
    before = space.sample(rng)
    after = space.mutate(before, rng)
    assert after != before
    assert space.check(after.picks) == after
    changed = [name for name in before.picks.keys() & after.picks.keys() if before.picks[name] != after.picks[name]]
    assert len(changed) == 1


@PROPERTY
@given(spaces(condition=False), RANDOMS)
def test_a_child_answers_as_a_parent_did(space: Space, rng: random.Random) -> None:
    a, b = space.sample(rng), space.sample(rng)
    child = space.cross(a, b, rng)
    for name, kept in child.picks.items():
        parents = [parent.picks[name] for parent in (a, b) if name in parent.picks]
        assert kept in parents or not parents


@PROPERTY
@given(spaces(), RANDOMS)
def test_following_keeps_every_legal_wish(space: Space, rng: random.Random) -> None:
    wanted = space.sample(rng)
    assert space.follow(wanted.picks, rng) == wanted
    some = {name: kept for name, kept in wanted.picks.items() if rng.random() < 0.5}
    if space.where is None:
        made = space.follow({**some, "nonsense": ("x",)}, rng)
        assert all(made.picks[name] == kept for name, kept in some.items() if name in made.picks)
        assert space.check(made.picks) == made


@PROPERTY
@given(spaces(), RANDOMS)
def test_one_seed_draws_one_architecture(space: Space, rng: random.Random) -> None:
    seed = rng.random()
    assert space.sample(random.Random(seed)) == space.sample(random.Random(seed))


@PROPERTY
@given(spaces(condition=False))
def test_all_listed_are_legal(space: Space) -> None:
    listed = space.first(50)
    assert all(space.check(made.picks) == made for made in listed)
    assert len(set(listed)) == len(listed) == min(50, space.count())


@PROPERTY
@given(spaces(condition=False))
def test_small_copies_are_small_and_whole(space: Space) -> None:
    made = space.small(limit=100)
    listed = list(made.enumerate())
    assert len(listed) == made.count() <= space.count()
    assert all(space.check(one.picks) == one for one in listed)
    assert made.count() <= 100 or all(len(d.options) <= max(1, d.keep[0]) for d in made.decisions.values())
    assert list(made.small(limit=100).enumerate()) == listed


@PROPERTY
@given(spaces(condition=False), RANDOMS)
def test_a_restricted_space_holds_what_uses_the_options_left(space: Space, rng: random.Random) -> None:
    name = rng.choice(list(space.decisions))
    decision = space.decisions[name]
    left = rng.sample(decision.options, rng.randint(max(decision.keep[0], 1), len(decision.options)))
    made = space.restrict({name: left})
    whole, listed = space.first(500), made.first(501)
    if len(whole) < 500:
        kept = [one for one in whole if set(one.picks.get(name, ())) <= set(left)]
        assert listed == kept
        assert made.count() == len(kept)


@PROPERTY
@given(spaces(), RANDOMS)
def test_broken_picks_are_refused_with_their_names(space: Space, rng: random.Random) -> None:
    whole = space.sample(rng).picks
    name = rng.choice(list(whole))
    for picks, words in [
        ({n: kept for n, kept in whole.items() if n != name}, f"{name} is missing"),
        ({**whole, name: ("nonsense",)}, f"{name}: 'nonsense' is no option"),
        ({**whole, name: whole[name] + whole[name] + ("q", "q")}, f"{name}: .* names an option twice"),
        ({**whole, "nonsense": ("x",)}, "nonsense is no decision of space random"),
    ]:
        with pytest.raises(SpaceError, match=words):
            space.check(picks)


def test_every_fault_is_named_at_once() -> None:
    picks = {"a.mixer": ("convv",), "b.depth": ("0",), "b.0.mixer": ("pool",), "a.kernel": ("3",)}
    found = space().faults(picks)
    assert len(found) == 3
    assert 'Did you mean "conv"?' in found[0]
    assert "b.0.mixer is not asked with the other picks" in found[1]
    assert 'a.kernel is no decision of space tried. Did you mean "a.conv.kernel"?' in found[2]


def test_what_hangs_below_an_unasked_decision_is_not_missed() -> None:
    picks = {"a.mixer": ("pool",), "b.depth": ("0",), "b.0.mixer": ("conv",)}
    assert space().faults(picks) == ["b.0.mixer is not asked with the other picks; leave it out"]


def test_check_puts_options_into_their_declared_order() -> None:
    made = Space("t", (3, 8, 8), choose("m", keep=2, a=op(Layer), b=op(Pool), c=op(Pool)))
    assert made.check({"m": ("c", "a")}) == Architecture({"m": ("a", "c")})


def deep(architecture: Architecture) -> bool:
    """at least one block in b"""
    return architecture.picks["b.depth"] == ("1",)


def never(architecture: Architecture) -> bool:
    return False


def test_a_condition_narrows_everything() -> None:
    narrowed = space(where=deep)
    assert space().count() == 4 * (1 + 4)
    assert narrowed.count() == len(list(narrowed.enumerate())) == 4 * 4
    rng = random.Random(0)
    assert all(deep(narrowed.sample(rng)) for _ in range(20))
    assert all(deep(narrowed.mutate(narrowed.sample(rng), rng)) for _ in range(20))
    assert deep(narrowed.follow({"b.depth": ("0",)}, rng))
    with pytest.raises(SpaceError, match="break the condition of the space: at least one block in b"):
        narrowed.check({"a.mixer": ("pool",), "b.depth": ("0",)})


def test_a_condition_that_nothing_meets_is_named() -> None:
    with pytest.raises(SpaceError, match=r"none of 1000 random architectures.*\(never\).*loosen"):
        space(where=never).sample(random.Random(0))
    with pytest.raises(SpaceError, match="no legal neighbour"):
        space(where=never).mutate(space().sample(random.Random(0)), random.Random(0))


def test_an_architecture_without_a_choice_has_no_neighbour() -> None:
    fixed = Space("fixed", (3, 8, 8), op(Layer))
    assert fixed.count() == 1 and fixed.sample(random.Random(0)) == Architecture({})
    with pytest.raises(SpaceError, match="no legal neighbour"):
        fixed.mutate(Architecture({}), random.Random(0))


def test_a_size_too_large_to_list_is_estimated_and_says_so() -> None:
    steps = {f"s{i}": mixer() for i in range(12)}

    def first_is_pool(architecture: Architecture) -> bool:
        return architecture.picks["s0.mixer"] == ("pool",)

    large = Space("large", (3, 8, 8), chain(**steps), where=first_is_pool)
    size = large.size()
    true = 4**11  # of 4^12: a draw meets the condition half the time, but conv stands for three architectures
    assert not size.exact and size.low <= true <= size.high < 4**12
    assert abs(size.count - true) < 0.2 * true
    with pytest.raises(SpaceError, match="too large to count exactly"):
        large.count()


def test_recipe_decisions_stand_in_the_table() -> None:
    made = space(recipe={"lr": choose("lr", 0.1, 0.2), "epochs": 3})
    assert made.recipe_decisions == ("recipe.lr",)
    assert made.count() == 2 * space().count()
    assert made.decisions["recipe.lr"].of_values
    architecture = made.follow({"recipe.lr": ("0.2",)}, random.Random(0))
    assert made.recipe_of(architecture) == {"lr": 0.2, "epochs": 3}
    assert made.sizes()["recipe.lr"] == (0.1, 0.2)
    assert made.sizes()["b.depth"] == (0, 1)


def test_restricting_names_what_does_not_fit() -> None:
    with pytest.raises(SpaceError, match='no decisions .*a.mixxer.*Did you mean "a.mixer"'):
        _ = space().restrict({"a.mixxer": ("conv",)}).decisions
    with pytest.raises(SpaceError, match='restricted to .*convv.*which it does not have.*Did you mean "conv"'):
        _ = space().restrict({"a.mixer": ("convv", "pool")}).decisions
    with pytest.raises(SpaceError, match="keeps at least 1"):
        _ = space().restrict({"a.mixer": ()}).decisions


def test_restricting_twice_keeps_both() -> None:
    made = space().restrict({"a.mixer": ("conv",)}).restrict({"a.conv.kernel": ("3",), "b.depth": ("0",)})
    assert list(made.enumerate()) == [Architecture({"a.mixer": ("conv",), "a.conv.kernel": ("3",), "b.depth": ("0",)})]
    assert "b.0.mixer" not in made.decisions
    assert made.decisions["a.mixer"].relaxed == ("conv",)


def test_mutating_where_all_is_asked_equals_the_general_way() -> None:
    space = Space("flat", (1, 8, 8), chain(*[op(Layer, kernel=choose(f"c{i}", *range(4))) for i in range(6)]))
    start = space.sample(random.Random(0))
    for seed in range(200):
        quick = space.mutate(start, random.Random(seed))
        rng = random.Random(seed)
        decision = space.decisions[rng.choice(tuple(space.decisions))]
        other = decision.draw(rng)
        while other == start.picks[decision.name]:
            other = decision.draw(rng)
        assert quick == space.follow({**start.picks, decision.name: other}, rng)
        assert list(quick.picks) == list(space.decisions)


def test_mutating_does_not_depend_on_the_order_of_picks() -> None:
    space = Space("flat", (1, 8, 8), chain(*[op(Layer, kernel=choose(f"c{i}", *range(4))) for i in range(6)]))
    start = space.sample(random.Random(0))
    turned = Architecture(dict(reversed(start.picks.items())))
    assert [space.mutate(start, random.Random(seed)) for seed in range(50)] == [
        space.mutate(turned, random.Random(seed)) for seed in range(50)
    ]
