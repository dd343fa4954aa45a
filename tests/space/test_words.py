"""The words refuse at once what can never work, and say what would."""

from collections.abc import Callable
from typing import Any

import pytest

from nasengine.errors import SpaceError
from nasengine.space import (
    Space,
    add,
    cell,
    chain,
    choose,
    network,
    only_if,
    op,
    reads,
    relaxed_only,
    repeat,
    residual,
    shared,
    stack,
)
from tests.space.random_spaces import Layer, Pool

FAULTS: dict[str, tuple[Callable[[], Any], str]] = {
    "an instance for a class": (lambda: op(Layer()), "give the layer's class and its settings"),
    "a setting that can change": (lambda: op(Layer, sizes=[3, 5]), r"op\(Layer\): settings \['sizes'\].*give tuples"),
    "unnamed layers": (lambda: choose("mixer", op(Pool), op(Layer)), "need names: choose.'mixer', pool=op"),
    "an unnamed relaxed-only layer": (lambda: choose("mixer", relaxed_only(op(Pool))), "need names"),
    "no option": (lambda: choose("mixer"), "no option to choose; give at least one"),
    "only relaxed options": (lambda: choose("mixer", none=relaxed_only(op(Pool))), "no option to choose"),
    "too many to keep": (lambda: choose("m", keep=3, a=op(Layer), b=op(Pool)), "keep=3 cannot be met by 2 options"),
    "nothing to keep": (lambda: choose("m", keep=0, a=op(Layer)), "keep=0 cannot be met.*most >= 1"),
    "bounds turned round": (lambda: choose("m", keep=(2, 1), a=op(Layer), b=op(Pool)), r"keep=\(2, 1\) cannot be met"),
    "a dotted name": (lambda: choose("a.b", 1, 2), "'a.b' is not a name"),
    "an empty name": (lambda: choose("", 1, 2), "'' is not a name"),
    "equal options": (lambda: choose("width", 8, 8), r"option names repeat: \['8', '8'\]"),
    "a mixture": (lambda: choose("m", 8, conv=op(Layer)), "either all layers or all plain values"),
    "many values kept": (lambda: choose("width", 8, 16, keep=2), "between plain values keeps exactly one"),
    "an empty chain": (lambda: chain(), r"chain\(\): there is nothing in it"),
    "a class in a chain": (lambda: chain(op(Layer), Pool), r"chain, step 1: .*write layers as op\(Layer"),
    "a name in a chain": (lambda: chain(head="Layer"), "chain, step head: 'Layer' is not a piece of network"),
    "a value in a residual": (lambda: residual(3), "3 is not a piece of network"),
    "a negative repeat": (lambda: repeat(op(Layer), -1), "give whole numbers of 0 or more"),
    "a repeat by layers": (lambda: repeat(op(Layer), choose("times", a=op(Layer))), "give whole numbers"),
    "a condition that is none": (lambda: only_if(True, op(Layer)), r"condition came as True; write derived\("),
    "a value shared": (lambda: shared("cell", 3), "shared 'cell': 3 is not"),
    "an unknown state": (lambda: network(a=op(Layer), b=reads("c", op(Pool))), r"reads \['c'\].*\['input', 'a'\]"),
    "a later state": (lambda: network(a=reads("b", op(Layer)), b=op(Pool)), r"step a: reads \['b'\]"),
    "an empty network": (lambda: network(), "there is nothing in it"),
    "a step named input": (lambda: network(input=op(Layer)), "that is what comes in"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_errors_teach(fault: str) -> None:
    make, words = FAULTS[fault]
    with pytest.raises(SpaceError, match=words):
        make()


def test_all_faults_of_a_choice_come_at_once() -> None:
    with pytest.raises(SpaceError) as caught:
        choose("a.b", 8, 8, keep=2)
    assert all(part in str(caught.value) for part in ("not a name", "names repeat", "keeps exactly one"))


def test_a_cell_has_the_edges_of_the_published_one() -> None:
    asked: list[tuple[int, int]] = []

    def edge(source: int, node: int) -> Any:
        asked.append((source, node))
        return op(Layer)

    made = cell(edge, (op(Pool), op(Pool)))
    assert len(asked) == 14  # DARTS, https://arxiv.org/abs/1806.09055
    assert asked[:5] == [(0, 0), (1, 0), (0, 1), (1, 1), (2, 1)]
    assert [step.name for step in made.steps] == ["in0", "in1", "node0", "node1", "node2", "node3"]
    assert made.join == "concat"


def test_a_cell_keeps_no_more_edges_than_a_node_has() -> None:
    made = cell(lambda source, node: op(Layer), (op(Pool), op(Pool)), nodes=2, keep=(1, 3))
    assert [step.node.keep for step in made.steps if step.named] == [(1, 2), (1, 3)]  # type: ignore[attr-defined]


def test_option_names_are_the_values_words() -> None:
    assert [option.name for option in choose("rate", 0.1, None, True, small=3).options] == [
        "0.1",
        "None",
        "True",
        "small",
    ]


def test_joins_and_stacks_are_nodes() -> None:
    assert len(stack(add(), add()).steps) == 2


def test_a_step_of_a_network_keeps_what_it_is() -> None:
    one = choose("mixer", a=op(Pool), b=op(Layer, width=4))
    space = Space("x", input=(1, 8, 8), network=network(first=shared("same", one), second=shared("same", one)))
    assert list(space.decisions) == ["same.mixer"], "shared decisions stay shared"
