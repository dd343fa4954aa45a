"""What of a graph is run: its steps with all that they read, and those that lead to the output under some picks."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from nasengine.space.nodes import Aside, Choice, Conditional, Graph, Node, Nothing, Read, Repeat, Shared, under
from nasengine.space.picks import Gate, Picks

States = int  # a set of a graph's states, bit by bit; its inputs come first


class Asking(Protocol):
    """A walk under some picks."""

    picks: Picks
    lives: dict["Layout", States]

    def setting(self, value: Any, scope: str) -> Any:
        """What a setting is under these picks."""


Used = States | Callable[[Asking], States]  # which states a node reads: always the same ones, or as the picks say


class Row(NamedTuple):
    """A step that knows its surroundings."""

    bit: States  # its own
    node: Node
    reads: tuple[int, ...]
    name: str
    scope: str
    used: Used


class Layout:
    """A graph with so many inputs in a namespace."""

    def __init__(self, graph: Graph, inputs: int, scope: str) -> None:
        rows = []
        for number, step in enumerate(graph.steps, start=inputs):
            reads = _numbers(step.reads, inputs, number)
            inner = under(scope, step.name) if step.named else scope
            used = _used(step.node, [1 << i for i in reads], inner)
            rows.append(Row(1 << number, step.node, reads, step.name, inner, used))
        self.rows = tuple(rows)
        self.outputs = _numbers(graph.outputs, inputs, inputs + len(rows))
        self._backwards = [(row.bit, row.used) for row in reversed(rows)]
        self.always = None if any(callable(row.used) for row in rows) else self._found(None)

    def live(self, asking: Asking) -> States:
        """The states that lead to the output under these picks, inputs among them."""
        if self.always is not None:
            return self.always
        found = asking.lives.get(self)
        if found is None:
            found = asking.lives[self] = self._found(asking)
        return found

    def _found(self, asking: Any) -> States:
        wanted = _together([1 << i for i in self.outputs])
        for bit, used in self._backwards:
            if wanted & bit:
                wanted |= used if isinstance(used, int) else used(asking)
        return wanted


@lru_cache(maxsize=16384)
def layout(graph: Graph, inputs: int, scope: str) -> Layout:
    """The layout of a graph, made once."""
    return Layout(graph, inputs, scope)


def is_on(gate: Gate) -> bool:
    """Whether an option with this gate is run."""
    return gate is not None and not (isinstance(gate, float) and gate == 0.0)


def _used(node: Any, states: Sequence[States], scope: str) -> Used:
    """Which of the `states` that come into a node it reads."""
    if _selective(node):
        match node:
            case Nothing():
                return 0
            case Read(sources=sources, node=inside):
                return _used(inside, [states[i] for i in sources], scope)
            case Shared(name=name, node=inside):
                return _used(inside, states, name)
            case Conditional():
                return _of_conditional(node, states, scope)
            case Choice():
                return _of_choice(node, states, scope)
            case Graph():
                return _of_graph(layout(node, len(states), scope), states)
    return _together(states)


def _of_conditional(node: Conditional, states: Sequence[States], scope: str) -> Used:
    inside, holds = _used(node.node, states, scope), node.holds

    def used(asking: Asking) -> States:
        if not asking.setting(holds, scope):
            return 0
        return inside if isinstance(inside, int) else inside(asking)

    return used


def _of_choice(node: Choice, states: Sequence[States], scope: str) -> Used:
    name, options = under(scope, node.name), {option.name: option.node for option in node.options}
    by_option: dict[str, Used] = {}

    def used(asking: Asking) -> States:
        found = 0
        for option, gate in asking.picks.gates(name, node).items():
            if option in options and is_on(gate):
                if option not in by_option:  # a space has many that nobody picks
                    by_option[option] = _used(options[option], states, under(scope, option))
                read = by_option[option]
                found |= read if isinstance(read, int) else read(asking)
        return found

    return used


def _of_graph(made: Layout, states: Sequence[States]) -> Used:
    def chosen(live: States) -> States:
        return _together([state for i, state in enumerate(states) if live >> i & 1])

    return (lambda asking: chosen(made.live(asking))) if made.always is None else chosen(made.always)


def _together(states: Sequence[States]) -> States:
    found = 0
    for state in states:
        found |= state
    return found


@lru_cache(maxsize=65536)
def _selective(node: Any) -> bool:
    """Whether a node may read only some of its inputs, depending on the picks."""
    match node:
        case Read() | Nothing() | Conditional():
            return True
        case Choice(options=options, keep=keep):
            return keep[0] == 0 or any(_selective(option.node) for option in options)
        case Graph(steps=steps):
            return any(_selective(step.node) for step in steps)
        case Repeat(body=inside) | Shared(node=inside) | Aside(node=inside):
            return _selective(inside)
    return False


def _numbers(reads: tuple[int, ...] | None, inputs: int, states: int) -> tuple[int, ...]:
    """State numbers counted from the first input; a read from before the first input gets the first."""
    if reads is None:
        return tuple(range(inputs))
    return tuple(max(i + states, 0) if i < 0 else i for i in reads)
