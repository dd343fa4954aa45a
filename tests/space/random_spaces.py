"""Random spaces for property tests: every word of the language, nested, with names that meet and so tie decisions."""

from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from nasengine.space import (
    Architecture,
    Choice,
    Node,
    Space,
    add,
    aside,
    cell,
    chain,
    choose,
    derived,
    network,
    op,
    reads,
    relaxed_only,
    repeat,
    residual,
    shared,
    stack,
)


class Layer:
    """Stands for a layer; these tests never build one."""

    kind = "conv"


class Pool:
    """Stands for another layer."""

    kind = "pool"


# the same name always has the same options, so that wherever names meet they are one decision
VALUES = {"size": (1, 2), "rate": (0.1, 0.2, 0.3)}
LAYERS: dict[str, tuple[tuple[str, ...], Any, bool]] = {
    "one": (("x", "y"), 1, False),
    "some": (("x", "y", "z"), (0, 2), False),
    "two": (("x", "y", "z"), 2, False),
    "soft": (("x", "y", "none"), 1, True),
}

# the same examples on every machine: a suite that fails by chance teaches people to run it twice
PROPERTY = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.large_base_example, HealthCheck.data_too_large, HealthCheck.too_slow],
)


class _Maker:
    """Draws nodes; `pool` holds shared pieces that may stand in many places, and in the pieces after them."""

    def __init__(self, draw: Callable[[Any], Any], alive: bool):
        self.draw, self.alive = draw, alive
        self.pool: list[Node] = []
        for i in range(draw(st.integers(0, 3))):
            self.pool.append(shared(f"p{i}", self.choice(1)))

    def often(self, one_in: int) -> bool:
        return bool(self.draw(st.integers(1, one_in)) == one_in)

    def operation(self) -> Node:
        if self.pool and self.often(3):
            return self.draw(st.sampled_from(self.pool))  # type: ignore[no-any-return]
        settings: dict[str, Any] = {n: choose(n, *values) for n, values in VALUES.items() if self.often(4)}
        if self.often(5):
            settings["width"] = derived(lambda first: first, "first")
        return op(self.draw(st.sampled_from([Layer, Pool])), **settings)

    def choice(self, depth: int) -> Choice:
        name = self.draw(st.sampled_from(sorted(LAYERS.keys() - ({"some"} if self.alive else set()))))
        options, keep, soft = LAYERS[name]
        nodes: dict[str, Any] = {option: self.node(depth - 1) for option in options}
        if soft:
            nodes["none"] = relaxed_only(nodes["none"])
        return choose(name, keep=keep, **nodes)

    def stacked(self, depth: int) -> Node:
        edges = [self.node(min(depth - 1, 1)) for _ in range(2)]
        bounds = [("one", 1), ("two", 2), ("any", (1, 2)), ("maybe", (0, 1))]
        kind, keep = self.draw(st.sampled_from(bounds[:3] if self.alive else bounds))
        nodes = self.draw(st.integers(1, 2))
        made = cell(lambda source, node: edges[source % 2], (op(Layer), op(Layer)), nodes=nodes, keep=keep)
        return stack(*[shared(f"cell{depth}{kind}", made)] * self.draw(st.integers(1, 2)))

    def states(self, depth: int) -> Node:
        sources = self.draw(st.sampled_from([("a", "b")] if self.alive else [("a", "b"), ("b",), ("input", "a")]))
        a, b, c = (self.node(depth - 1) for _ in range(3))
        return network(a=a, b=reads("input", b), c=reads(*sources, chain(add(), c)))

    def repeated(self, depth: int) -> Node:
        counts = self.draw(st.sampled_from([(1, 2), (0, 1), (2, 3)]))
        times = 2 if self.often(2) else choose(f"depth{depth}_{counts[0]}", *counts)
        return repeat(self.node(depth - 1), times, tie=self.often(2))

    def node(self, depth: int) -> Node:
        if depth <= 0:
            return self.operation()
        kinds: dict[str, Callable[[], Node]] = {
            "op": self.operation,
            "chain": lambda: chain(*[self.node(depth - 1) for _ in range(2)]),
            "named": lambda: chain(a=self.node(depth - 1), x=self.node(depth - 1)),
            "residual": lambda: residual(self.node(depth - 1)),
            "repeat": lambda: self.repeated(depth),
            "choice": lambda: self.choice(depth),
            "shared": lambda: shared(f"s{depth}", self.node(depth - 1)),
            "cell": lambda: self.stacked(depth),
            "states": lambda: self.states(depth),
            "aside": lambda: chain(self.node(depth - 1), aside("help", op(Layer))),
        }
        return kinds[self.draw(st.sampled_from([*kinds, "choice", "choice"]))]()


def few(architecture: Architecture) -> bool:
    """No more than five options with an x in them."""
    return sum("x" in kept for kept in architecture.picks.values()) <= 5


@st.composite
def spaces(draw: Callable[[Any], Any], condition: bool = True, alive: bool = False) -> Space:
    """A space of one to many thousand architectures.

    With a `where` now and then, unless `condition` is off. In one that is `alive` every piece reaches the output.
    """
    maker = _Maker(draw, alive)
    body = chain(op(Layer, width=choose("first", 4, 8)), maker.node(3), maker.node(2))
    recipe: Mapping[str, Any] = {"lr": choose("lr", 0.1, 0.2), "epochs": 3} if maker.often(4) else {}
    where = few if condition and maker.often(3) else None
    return Space("random", (3, 8, 8), body, recipe=recipe, where=where)
