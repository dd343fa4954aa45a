"""Decisions: names by scope, conditions by branches, kinds by layers; and draws that keep wishes."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasengine.errors import SpaceError
from nasengine.space import (
    Decision,
    Node,
    Space,
    aside,
    cell,
    chain,
    choose,
    derived,
    kind_of,
    only_if,
    op,
    relaxed_only,
    repeat,
    residual,
    shared,
    stack,
)
from tests.space.random_spaces import PROPERTY, Layer, Pool, spaces


class Drop:
    """Stands for a layer that is only there in training."""

    training_only = True


class Plain:
    """Stands for a layer without a kind."""


def table(network: Node) -> dict[str, Decision]:
    return dict(Space("t", (3, 8, 8), network).decisions)


def test_names_are_scopes() -> None:
    mixer = choose("mixer", conv=op(Layer, kernel=choose("kernel", 3, 5)), pool=op(Pool))
    found = table(chain(stem=op(Layer, width=choose("width", 8, 16)), body=repeat(residual(mixer), 2), head=op(Pool)))
    assert list(found) == [
        "stem.width", "body.0.mixer", "body.0.conv.kernel", "body.1.mixer", "body.1.conv.kernel",
    ]  # fmt: skip
    assert found["body.1.conv.kernel"].when == {(("body.1.mixer", ("conv",)),)}
    assert not found["body.1.mixer"].when


def test_the_decisions_of_a_cell_are_one_however_often_it_stands() -> None:
    edge = choose("op", conv=op(Layer), pool=op(Pool))
    one = shared("normal", cell(lambda source, node: edge, (op(Layer), op(Layer)), nodes=2))
    found = table(stack(one, one, one))
    assert len(found) == 2 + 5
    assert found["normal.node1.inputs"].options == ("in0", "in1", "node0")
    assert found["normal.node1.node0.op"].when == {(("normal.node1.inputs", ("node0",)),)}
    assert found["normal.node1.inputs"].of_edges and not found["normal.node1.node0.op"].of_edges


def test_a_tied_repeat_decides_once() -> None:
    body = op(Layer, size=choose("size", 1, 2))
    assert list(table(repeat(body, 3, tie=True))) == ["size"]
    found = table(repeat(body, choose("depth", 0, 1, 3)))
    assert {name: set(decision.when) for name, decision in found.items()} == {
        "depth": set(),
        "0.size": {(("depth", ("1", "3")),)},
        "1.size": {(("depth", ("3",)),)},
        "2.size": {(("depth", ("3",)),)},
    }


def test_one_name_with_two_sets_of_options_shows_both_places() -> None:
    network = chain(
        first=op(Layer), second=chain(op(Layer, size=choose("size", 1, 2)), op(Pool, size=choose("size", 2, 3)))
    )
    with pytest.raises(SpaceError) as caught:
        table(network)
    words = str(caught.value)
    for part in (
        "'second.size'",
        "at second.0",
        "at second.1",
        "['1', '2']",
        "['2', '3']",
        "another name or namespace",
    ):
        assert part in words


def test_one_name_with_two_numbers_to_keep_is_refused() -> None:
    with pytest.raises(SpaceError, match=r"keep \(1, 1\).*keep \(2, 2\)"):
        table(chain(choose("m", a=op(Layer), b=op(Pool)), choose("m", keep=2, a=op(Layer), b=op(Pool))))


def test_values_behind_equal_names_may_differ() -> None:
    widths = chain(
        op(Layer, width=choose("width", small=8, large=16)), op(Layer, width=choose("width", small=32, large=64))
    )
    assert list(table(widths)) == ["width"]


def test_a_decision_always_asked_may_be_asked_again_below_itself() -> None:
    inner = shared("s", choose("p", u=op(Layer), v=op(Pool)))
    found = table(chain(inner, shared("t", choose("q", x=inner, y=op(Pool)))))
    assert not found["s.p"].when
    repeated = repeat(repeat(op(Layer), choose("depth", 0, 2)), choose("depth", 0, 2), tie=True)
    assert not table(repeated)["depth"].when


def test_decisions_that_wait_for_each_other_are_refused() -> None:
    def p(inside: Node) -> Node:
        return shared("s", choose("p", u=inside, v=op(Pool)))

    def q(inside: Node) -> Node:
        return shared("t", choose("q", u=inside, v=op(Pool)))

    with pytest.raises(SpaceError, match=r"\['s.p', 't.q'\].*asked only when another"):
        table(choose("a", x=p(q(op(Layer))), y=q(p(op(Layer)))))


def test_an_aside_holds_no_choice() -> None:
    with pytest.raises(SpaceError, match="body.help: an aside holds a choice"):
        table(chain(body=aside("help", op(Layer, size=choose("size", 1, 2)))))


def test_a_condition_holds_no_choice() -> None:
    held = only_if(derived(lambda a: True, "a"), op(Layer, kernel=choose("kernel", 3, 5)))
    with pytest.raises(SpaceError, match="only_if holds a choice"):
        table(chain(choose("a", x=op(Layer), y=op(Pool)), held))
    assert kind_of(only_if(derived(lambda a: True, "a"), op(Pool))) == "pool"


def test_a_tie_in_every_option_of_a_choice_is_asked_whenever_the_choice_is() -> None:
    tie = shared("tie", choose("op", conv=op(Layer), pool=op(Pool)))
    everywhere = choose("input", near=tie, far=chain(op(Pool), tie))
    assert not table(everywhere)["tie.op"].when
    below = choose("outer", none=op(Pool), some=everywhere)
    assert table(below)["tie.op"].when == {(("outer", ("some",)),)}
    half = choose("input", near=tie, far=op(Pool))
    assert table(half)["tie.op"].when == {(("input", ("near",)),)}
    perhaps = choose("input", keep=(0, 1), near=tie, far=chain(op(Pool), tie))
    assert len(table(perhaps)["tie.op"].when) == 2


def test_relaxed_only_options_are_no_options_of_an_architecture() -> None:
    (decision,) = table(choose("m", none=relaxed_only(op(Pool)), a=op(Layer), b=op(Pool))).values()
    assert decision.options == ("a", "b")
    assert decision.relaxed == ("none", "a", "b")
    assert decision.kinds["none"] == "pool"


def test_the_kind_of_a_piece_is_its_strongest() -> None:
    assert kind_of(op(Layer)) == "conv"
    assert kind_of(chain(op(Pool), op(Layer), op(Drop))) == "conv"
    assert kind_of(repeat(chain(op(Pool), op(Drop)), 2)) == "pool"
    assert kind_of(chain(op(Layer), choose("m", a=op(Pool), b=op(Layer)))) == "edge"
    assert kind_of(op(Layer, size=choose("size", 1, 2))) == "conv"
    assert kind_of(op(Plain)) == "other"
    assert kind_of(chain(op(Pool), aside("help", op(Layer)))) == "pool"
    assert table(op(Layer, size=choose("size", 1, 2)))["size"].of_values


@PROPERTY
@given(spaces(), st.randoms(use_true_random=False))
def test_decisions_come_after_those_they_depend_on(space: Space, rng: random.Random) -> None:
    seen: set[str] = set()
    for name, decision in space.decisions.items():
        for alternative in decision.when:
            assert {parent for parent, _ in alternative} <= seen
            for parent, options in alternative:
                assert set(options) <= set(space.decisions[parent].relaxed)
        seen.add(name)


DRAWN = Decision("d", ("a", "b", "c", "d"), ("a", "b", "c", "d"), (0, 2), {})


def test_a_free_draw_is_uniform_over_all_picks() -> None:
    rng = random.Random(0)
    seen = Counter(DRAWN.draw(rng) for _ in range(11000))
    assert len(seen) == DRAWN.ways() == len(list(DRAWN.picks())) == 11
    assert all(800 < number < 1200 for number in seen.values())


def test_a_draw_keeps_what_is_legal_of_a_wish() -> None:
    rng = random.Random(0)
    assert DRAWN.draw(rng, ("c", "a")) == ("a", "c")
    assert DRAWN.draw(rng, ("c", "x")) == ("c",)
    assert DRAWN.draw(rng, ("d", "c", "a")) == ("c", "d")
    two = Decision("d", ("a", "b", "c"), ("a", "b", "c"), (2, 2), {})
    assert all("b" in two.draw(rng, ("b",)) for _ in range(20))
    one = Decision("d", ("a", "b"), ("a", "b"), (1, 1), {})
    assert {one.draw(rng, ("x", "b", "a")) for _ in range(20)} == {("b",)}


def test_a_wish_for_none_is_a_wish() -> None:
    rng = random.Random(0)
    assert {DRAWN.draw(rng, ()) for _ in range(50)} == {()}
    assert len({DRAWN.draw(rng, ("x",)) for _ in range(200)}) == 11
