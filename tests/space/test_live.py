"""Which steps of a graph are run: against the same rules written out in sets, and by hand."""

import random
from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from nasengine.space import (
    EVERYTHING,
    Mixture,
    Picks,
    Space,
    add,
    choose,
    derived,
    network,
    nothing,
    only_if,
    op,
    reads,
)
from nasengine.space.live import Layout, States, is_on, layout
from nasengine.space.nodes import Choice, Graph, Read, Repeat, Shared, under
from tests.space.random_spaces import PROPERTY, Layer, spaces


class Under:
    """Picks, asked of one graph at a time."""

    def __init__(self, picks: Picks, **settings: Any):
        self.picks, self.settings = picks, settings
        self.lives: dict[Layout, States] = {}

    def setting(self, value: Any, scope: str) -> Any:
        """A derived setting of one decision, known by its name."""
        return value.function(self.settings[value.decisions[0]])


def live(graph: Graph, inputs: int, scope: str, under_picks: Under) -> set[int]:
    """The states that lead to the output."""
    found = layout(graph, inputs, scope).live(under_picks)
    return {state for state in range(inputs + len(graph.steps)) if found >> state & 1}


def plainly(graph: Graph, inputs: int, scope: str, picks: Picks) -> set[int]:
    """The same, from the last step to the first."""
    last = inputs + len(graph.steps)
    wanted = {i if i >= 0 else max(i + last, 0) for i in graph.outputs}
    for state in range(last - 1, inputs - 1, -1):
        step = graph.steps[state - inputs]
        if state in wanted:
            reads = range(inputs) if step.reads is None else [i if i >= 0 else max(i + state, 0) for i in step.reads]
            inner = under(scope, step.name) if step.named else scope
            wanted |= {reads[i] for i in read(step.node, len(reads), inner, picks)}
    return wanted


def read(node: Any, inputs: int, scope: str, picks: Picks) -> set[int]:
    """The inputs that a node reads."""
    match node:
        case Read(sources=sources, node=inside):
            return {sources[i] for i in read(inside, len(sources), scope, picks)}
        case Shared(name=name, node=inside):
            return read(inside, inputs, name, picks)
        case Choice(options=options):
            gates = picks.gates(under(scope, node.name), node)
            on = [option for option in options if is_on(gates.get(option.name))]
            return set().union(*(read(option.node, inputs, under(scope, option.name), picks) for option in on))
        case Graph():
            return plainly(node, inputs, scope, picks) & set(range(inputs))
    return set(range(inputs))


def graphs(node: Any, inputs: int, scope: str) -> list[tuple[Graph, int, str]]:
    """Every graph in a piece of network that a walk can come to, with its number of inputs and its namespace."""
    match node:
        case Graph(steps=steps):
            inner = [(under(scope, s.name) if s.named else scope) for s in steps]
            counts = [inputs if s.reads is None else len(s.reads) for s in steps]
            below = [graphs(s.node, n, name) for s, n, name in zip(steps, counts, inner, strict=True)]
            return [(node, inputs, scope), *(one for found in below for one in found)]
        case Choice(options=options):
            return [one for o in options for one in graphs(o.node, inputs, under(scope, o.name))]
        case Read(sources=sources, node=inside):
            return graphs(inside, len(sources), scope)
        case Shared(name=name, node=inside):
            return graphs(inside, inputs, name)
        case Repeat(body=body, tie=tie):
            return graphs(body, inputs, scope if tie else under(scope, "0"))
    return []


def gated(space: Space, rng: random.Random) -> Picks:
    """A mixture that has some options off, all of them where none need be kept."""
    gates: dict[str, Mapping[str, float]] = {}
    for name, decision in space.decisions.items():
        if not decision.of_values:
            kept = rng.sample(decision.relaxed, rng.randint(decision.keep[0], len(decision.relaxed)))
            gates[name] = {option: 0.5 if option in kept else 0.0 for option in decision.relaxed}
    return Mixture(gates)


@PROPERTY
@given(spaces(condition=False), st.randoms(use_true_random=False))
def test_the_steps_are_those_of_the_rules_in_sets(space: Space, rng: random.Random) -> None:
    for picks in (EVERYTHING, gated(space, rng)):
        for graph, inputs, scope in graphs(space.network, 1, ""):
            assert live(graph, inputs, scope, Under(picks)) == plainly(graph, inputs, scope, picks)


def test_what_is_not_there_reads_nothing() -> None:
    """States: 0 and 1 come in; 2 is what the edge 3 may read; 4, which may read 1, stands where the edge does not."""
    graph = network(
        first=reads("input", op(Layer)),
        edge=reads("first", choose("kept", no=nothing(), yes=op(Layer))),
        instead=reads("input1", only_if(derived(lambda kept: kept == "no", "kept"), op(Layer))),
        out=reads("edge", "instead", add()),
    )
    for kept, states in {"yes": {0, 2, 3, 4, 5}, "no": {1, 3, 4, 5}}.items():
        assert live(graph, 2, "", Under(Mixture({"edge.kept": {kept: 1.0}}), kept=kept)) == states
