"""Counting is exact: against enumeration over random spaces, and where decisions are tied in every way."""

from itertools import islice

from hypothesis import given

from nasengine.space import Node, Space, chain, choose, op, repeat, shared, stack
from tests.space.random_spaces import LAYERS, PROPERTY, Layer, Pool, spaces

MANY = 2000


def count(network: Node) -> int:
    """The space's count, once it is seen to equal the number of architectures listed."""
    space = Space("counted", (3, 8, 8), network)
    assert space.count() == len(set(space.enumerate()))
    return space.count()


@PROPERTY
@given(spaces(condition=False))
def test_count_is_the_length_of_the_enumeration(space: Space) -> None:
    listed = list(islice(space.enumerate(), MANY))
    assert len(set(listed)) == len(listed)
    if len(listed) < MANY:
        assert space.count() == len(listed)
    else:
        assert space.count() >= MANY


def test_keep_ranges_multiply_what_hangs_below_each_option() -> None:
    size = op(Layer, size=choose("size", 1, 2, 3))
    assert count(choose("some", keep=(0, 2), x=size, y=size, z=op(Pool))) == 1 + 3 + 3 + 1 + 9 + 3 + 3


def test_a_repeat_counts_each_depth() -> None:
    body = op(Layer, size=choose("size", 1, 2, 3))
    assert count(repeat(body, choose("depth", 0, 1, 2, 4))) == 1 + 3 + 9 + 81
    assert count(repeat(body, choose("depth", 1, 2, 4), tie=True)) == 3 * 3
    assert count(repeat(body, choose("depth", 0, 2), tie=True)) == 1 + 3


def test_a_tie_that_begins_in_two_branches() -> None:
    inner = shared("s", choose("p", u=op(Layer, size=choose("size", 1, 2)), v=op(Pool)))
    network = chain(choose("a", x=inner, y=op(Pool)), choose("b", x=inner, y=op(Pool)))
    # three of four pairs ask s.p, which has 2 + 1 answers
    assert count(network) == 3 * 3 + 1
    # a free decision in the same group, with a tree below it
    free = choose("c", x=chain(inner, m=choose("d", u=op(Layer, size=choose("size", 1, 2)), v=op(Pool))), y=op(Pool))
    assert count(chain(network, free)) == 3 * (3 * 3) + 1 * (3 * 3) + 3 * 3 + 1


def test_a_tied_choice_whose_branches_differ_by_place_needs_conjunctions() -> None:
    with_size = shared("s", choose("p", u=op(Layer, size=choose("size", 1, 2, 3)), v=op(Pool)))
    without = shared("s", choose("p", u=op(Layer), v=op(Pool)))
    network = chain(choose("a", x=with_size, y=op(Pool)), choose("b", x=without, y=op(Pool)))
    when = Space("t", (3, 8, 8), network).decisions["s.u.size"].when
    assert when == {(("a", ("x",)), ("s.p", ("u",)))}
    # a, b = x, x and x, y: 3 + 1; y, x: 2; y, y: 1
    assert count(network) == 4 + 4 + 2 + 1


def test_two_levels_of_conjunctions() -> None:
    deep = shared("t", choose("q", m=op(Layer, rate=choose("rate", 1, 2)), n=op(Pool)))
    flat = shared("t", choose("q", m=op(Layer), n=op(Pool)))
    first = shared("s", choose("p", keep=(0, 2), u=deep, v=flat))
    second = shared("s", choose("p", keep=(0, 2), u=flat, v=deep))
    network = chain(choose("a", x=first, y=op(Pool)), choose("b", x=second, y=op(Pool)))
    table = Space("t", (3, 8, 8), network).decisions
    assert table["t.m.rate"].when == {
        (("a", ("x",)), ("s.p", ("u",)), ("t.q", ("m",))),
        (("b", ("x",)), ("s.p", ("v",)), ("t.q", ("m",))),
    }
    # x, x: none, then 3 ways for u, for v and for both; x, y: v alone has no rate; the same for y, x
    assert count(network) == (1 + 3 + 3 + 3) + (1 + 3 + 2 + 3) + (1 + 2 + 3 + 3) + 1


def test_choices_that_differ_with_the_depth() -> None:
    def block(name: str) -> Node:
        return choose(
            "mixer", conv=op(Layer, size=choose("size", 1, 2)), pool=shared(name, op(Pool, size=choose("size", 1, 2)))
        )

    assert count(repeat(block("window"), choose("depth", 1, 2, 3))) == sum(
        # without a pool, or with one: then the shared window has 2 answers
        2**n + 2 * (3**n - 2**n) for n in (1, 2, 3)
    )  # fmt: skip


def test_large_irregular_spaces_are_counted_without_listing_them() -> None:
    edge = choose("op", **{name: op(Layer, size=choose("size", 1, 2)) for name in "abcde"})
    tail = shared("tail", op(Layer, size=choose("size", *range(7))))
    steps = {f"n{i}": choose("end", more=chain(edge, tail), stop=op(Pool)) for i in range(30)}
    # each of 30 steps stops, or has 10 answers and asks the tail
    assert Space("large", (3, 8, 8), chain(**steps)).count() == 1 + 7 * (11**30 - 1)


def test_a_stack_of_one_shared_cell_counts_once() -> None:
    options, keep, _ = LAYERS["some"]
    cell = shared("cell", choose("some", keep=keep, **{name: op(Layer) for name in options}))
    assert count(stack(cell, cell, cell)) == 1 + 3 + 3
