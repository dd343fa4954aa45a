"""The walk: what runs, in which order, on what; and what it asks of the picks."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasengine.errors import SpaceError
from nasengine.space import (
    EVERYTHING,
    Architecture,
    Choice,
    Mixture,
    Node,
    Space,
    add,
    aside,
    cell,
    chain,
    choose,
    concat,
    derived,
    network,
    nothing,
    only_if,
    op,
    reads,
    repeat,
    residual,
    run,
    shared,
    stack,
)
from tests.space.random_spaces import PROPERTY, spaces

A, B, C = (type(name, (), {}) for name in "ABC")


class Words:
    """Values are the expressions that make them."""

    def __init__(self) -> None:
        self.places: list[str] = []
        self.mixed: dict[str, dict[str, Any]] = {}

    def op(self, place: str, layer: type, settings: Mapping[str, Any], inputs: tuple[str, ...]) -> str:
        self.places.append(place)
        words = "".join(f" {name}={value}" for name, value in settings.items())
        return f"{layer.__name__}{words}({','.join(inputs)})"

    def add(self, place: str, values: Sequence[str]) -> str:
        return "[" + "+".join(values) + "]"

    def concat(self, place: str, values: Sequence[str]) -> str:
        return "[" + "|".join(values) + "]"

    def mix(self, name: str, choice: Choice, on: Mapping[str, tuple[Any, str]]) -> str:
        self.mixed[name] = {option: gate for option, (gate, _) in on.items()}
        return next(iter(on.values()))[1] if len(on) == 1 else "<" + "+".join(value for _, value in on.values()) + ">"


def walk(node: Node, inputs: str = "x", **picks: str) -> Any:
    """The expression of an architecture; picks are written name=option,option (and __ for a dot)."""
    made = {name.replace("__", "."): tuple(kept.split(",")) if kept else () for name, kept in picks.items()}
    return run(node, tuple(inputs), Architecture(made), Words())


def test_chains_residuals_and_repeats() -> None:
    assert walk(chain(op(A), op(B, width=3))) == "B width=3(A(x))"
    assert walk(residual(op(A), op(B))) == "[x+B(A(x))]"
    assert walk(repeat(op(A), 2)) == "A(A(x))"
    assert walk(repeat(op(A), choose("depth", 0, 2)), depth="0") == "x"
    assert walk(repeat(op(A, size=choose("s", 1, 2)), 2), **{"0__s": "1", "1__s": "2"}) == "A size=2(A size=1(x))"
    assert walk(repeat(op(A, size=choose("s", 1, 2)), 2, tie=True), s="2") == "A size=2(A size=2(x))"


def test_choices_run_what_is_kept() -> None:
    choice = choose("m", keep=(0, 2), a=op(A), b=op(B), c=op(C))
    assert walk(choice, m="b") == "B(x)"
    assert walk(choice, m="c,a") == "<A(x)+C(x)>"
    assert walk(choice, m="") is None


def test_an_absent_value_drops_out_of_sums_and_is_never_run_on() -> None:
    maybe = choose("m", keep=(0, 1), a=op(A), b=op(B))
    assert walk(residual(maybe), m="") == "x"
    assert walk(chain(maybe, op(C)), m="") is None
    joined = network(m=maybe, c=reads("input", op(C)), d=reads("m", "c", concat()))
    assert walk(joined, m__m="") == "C(x)"
    assert walk(joined, m__m="a") == "[A(x)|C(x)]"


def test_an_edge_that_is_not_there_brings_nothing_and_reads_nothing() -> None:
    edge = choose("kept", no=nothing(), yes=op(B))
    graph = network(first=op(A), edge=reads("first", edge), out=reads("input", "edge", add()))
    words = Words()
    assert run(graph, ("x",), Architecture({"edge.kept": ("no",)}), words) == "x"
    assert words.places == []
    assert walk(graph, edge__kept="yes") == "[x+B(A(x))]"
    assert run(graph, ("x",), EVERYTHING, Words()) == "[x+B(A(x))]"
    assert walk(edge, kept="no") is None
    assert Space("small", (1, 8, 8), graph).decisions["edge.kept"].kinds == {"no": "zero", "yes": "other"}


def test_what_is_only_there_under_a_condition() -> None:
    unread = only_if(derived(lambda kept: "no" in kept, "edge.kept"), op(C))
    edge = choose("kept", no=nothing(), yes=op(B))
    graph = network(
        first=op(A), edge=reads("first", edge), left=reads("first", unread), out=reads("edge", "left", add())
    )
    assert walk(graph, edge__kept="yes") == "B(A(x))"
    assert walk(graph, edge__kept="no") == "C(A(x))"
    words = Words()
    apart = network(
        first=op(A), left=reads("first", unread), edge=reads("input", edge), out=reads("edge", "left", add())
    )
    assert run(apart, ("x",), Architecture({"edge.kept": ("yes",)}), words) == "B(x)"
    assert words.places == ["edge.yes"], "what only a condition that fails would read is dead"
    assert run(graph, ("x",), EVERYTHING, Words()) == "[B(A(x))+C(A(x))]"


def test_dead_steps_are_not_run() -> None:
    words = Words()
    unread = network(a=op(A), b=reads("input", op(B)), c=reads("a", op(C)))
    assert run(unread, ("x",), Architecture({}), words) == "C(A(x))"
    assert words.places == ["a", "c"]
    edge = choose("op", a=op(A), b=op(B))
    small = cell(lambda source, node: edge, (op(C), op(C)), nodes=1, keep=1)
    words = Words()
    assert run(small, ("x", "y"), Architecture({"node0.inputs": ("in1",), "node0.in1.op": ("b",)}), words) == "B(C(y))"
    assert words.places == ["in1", "node0.in1.b"]


def test_steps_that_only_feed_dead_steps_are_dead() -> None:
    late = choose("m", keep=(0, 1), a=op(A))
    words = Words()
    graph = network(first=op(B), m=reads("first", late), out=reads("input", "m", add()))
    assert run(graph, ("x",), Architecture({"m.m": ()}), words) == "x"
    assert words.places == []


def test_named_states_read_what_they_name() -> None:
    graph = network(a=op(A), b=op(B), c=reads("a", "input", add()), d=reads("c", "b", concat()))
    assert walk(graph) == "[[A(x)+x]|B(A(x))]"


def test_several_inputs() -> None:
    assert walk(op(A), "xy") == "A(x,y)"
    assert walk(chain(add(), op(A)), "xy") == "A([x+y])"
    graph = network(both=op(A), second=reads("input1", op(B)), out=reads("both", "second", "input", add()))
    assert walk(graph, "xy") == "[A(x,y)+B(y)+x]"
    assert walk(network(a=reads("input", op(A)), b=reads("a", op(B)), c=op(C)), "xy") == "C(B(A(x)))"


def test_a_stack_reads_the_two_before() -> None:
    join = concat()
    assert walk(stack(join, join, join)) == "[[x|x]|[x|[x|x]]]"
    assert walk(stack(join, join), "xy") == "[y|[x|y]]"


def test_shared_decisions_and_places_of_their_own() -> None:
    words = Words()
    one = shared("cell", op(A, size=choose("s", 1, 2)))
    assert run(chain(a=one, b=one), ("x",), Architecture({"cell.s": ("2",)}), words) == "A size=2(A size=2(x))"
    assert words.places == ["a", "b"]


def test_derived_settings_look_outwards() -> None:
    def double(width: Any) -> Any:
        return None if width is None else 2 * width

    inner = chain(
        op(A, width=choose("width", 1, 2)),
        choose("m", keep=(0, 2), a=op(B), b=op(C)),
        op(B, w=derived(double, "width")),
    )
    picks = {"width": "8", "in__width": "2", "in__m": "a"}
    assert walk(chain(op(C, width=choose("width", 4, 8)), **{"in": inner}), **picks) == (
        "B w=4(B(A width=2(C width=8(x))))"
    )
    names = chain(choose("m", keep=(0, 2), a=op(A), b=op(B)), op(C, kept=derived(lambda m: m, "m")))
    assert walk(names, m="b,a") == "C kept=('a', 'b')(<A(x)+B(x)>)"
    hidden = chain(choose("m", a=op(A, width=choose("width", 1, 2)), b=op(B)), op(C, w=derived(double, "a.width")))
    assert walk(hidden, m="b") == "C w=None(B(x))"
    assert walk(hidden, m="a", a__width="2") == "C w=4(A width=2(x))"


def test_a_derived_setting_of_no_decision_is_refused() -> None:
    with pytest.raises(SpaceError, match="derived setting at body: 'width' is none of its decisions"):
        walk(chain(body=op(A, w=derived(lambda width: width, "width"))))


class WithAsides(Words):
    """Runs asides as well."""

    def __init__(self) -> None:
        super().__init__()
        self.asides: dict[str, str] = {}

    def aside(self, name: str, place: str, branch: Callable[[], str]) -> None:
        self.asides[name] = branch()


def test_asides_are_run_by_those_who_ask_for_them() -> None:
    graph = chain(a=op(A), b=chain(op(B), aside("help", op(C))))
    plain, asking = Words(), WithAsides()
    assert run(graph, ("x",), EVERYTHING, plain) == run(graph, ("x",), EVERYTHING, asking) == "B(A(x))"
    assert plain.places == ["a", "b.0"]
    assert asking.asides == {"help": "C(B(A(x)))"}
    assert asking.places == ["a", "b.0", "b.1.help"]


def test_gates_of_zero_are_not_run() -> None:
    choice = choose("m", a=op(A), b=op(B), c=op(C))
    words = Words()
    assert run(choice, ("x",), Mixture({"m": {"a": 0.0, "b": 1.0}}), words) == "B(x)"
    assert words.mixed == {"m": {"b": 1.0}} and words.places == ["b"]
    assert run(choice, ("x",), Mixture({"m": {"a": 0.0}}), words) is None
    run(choice, ("x",), Mixture({"m": {"a": 0.25, "c": 0.75}}), words)
    assert words.mixed == {"m": {"a": 0.25, "c": 0.75}}


def test_everything_runs_everything() -> None:
    words = Words()
    graph = repeat(choose("m", a=op(A, size=choose("s", 1, 3, 2)), b=op(B)), choose("depth", 2, 1))
    assert run(graph, ("x",), EVERYTHING, words) == "<A size=3(<A size=3(x)+B(x)>)+B(<A size=3(x)+B(x)>)>"
    assert words.places == ["0.a", "0.b", "1.a", "1.b"]


class Visiting(Words):
    """Skips every shared piece."""

    def visit(self, node: Node, place: str, scope: str, inputs: tuple[str, ...], inside: Callable[..., Any]) -> Any:
        return f"{place}:{type(node).__name__}" if type(node).__name__ == "Shared" else inside(*inputs)


def test_an_interpreter_may_stand_around_nodes() -> None:
    words = Visiting()
    graph = chain(a=op(A), b=shared("s", op(B)), c=op(C))
    assert run(graph, ("x",), EVERYTHING, words) == "C(b:Shared)"
    assert words.places == ["a", "c"]


class Recorded:
    """An architecture that remembers what it was asked."""

    def __init__(self, architecture: Architecture):
        self.architecture, self.read = architecture, set[str]()

    def gates(self, name: str, choice: Choice) -> Mapping[str, Any]:
        self.read.add(name)
        return self.architecture.gates(name, choice)

    def value(self, name: str, choice: Choice) -> Any:
        self.read.add(name)
        return self.architecture.value(name, choice)

    def asked(self, name: str) -> bool:
        return self.architecture.asked(name)


def _asked_and_read(space: Space, rng: random.Random) -> tuple[set[str], set[str]]:
    recorded = Recorded(space.sample(rng))
    run(space.network, ("x",), recorded, Words())
    return set(recorded.architecture.picks) - set(space.recipe_decisions), recorded.read


@PROPERTY
@given(spaces(), st.randoms(use_true_random=False))
def test_a_run_reads_only_what_an_architecture_answers(space: Space, rng: random.Random) -> None:
    asked, read = _asked_and_read(space, rng)
    assert read <= asked


@PROPERTY
@given(spaces(alive=True), st.randoms(use_true_random=False))
def test_a_run_reads_all_that_an_architecture_answers(space: Space, rng: random.Random) -> None:
    asked, read = _asked_and_read(space, rng)
    assert read == asked


@PROPERTY
@given(spaces(alive=True), st.randoms(use_true_random=False))
def test_what_an_architecture_runs_is_part_of_everything(space: Space, rng: random.Random) -> None:
    everything, one = Words(), Words()
    run(space.network, ("x",), EVERYTHING, everything)
    assert run(space.network, ("x",), space.sample(rng), one) is not None
    assert set(one.places) <= set(everything.places)
    assert len(set(everything.places)) == len(everything.places)
