"""The second view of a space: one walk over the network, and an interpreter that says what walking means."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol, TypeVar

from nasengine.errors import SpaceError
from nasengine.space.decisions import declared
from nasengine.space.live import Layout, States, is_on, layout
from nasengine.space.nodes import (
    Aside,
    Choice,
    Conditional,
    Derived,
    Graph,
    Join,
    Node,
    Nothing,
    Op,
    Option,
    Read,
    Repeat,
    Shared,
    dotted,
    under,
)
from nasengine.space.picks import Gate, Picks

V = TypeVar("V")
_CHOSEN = {Choice, Derived}  # the settings that are no plain values


class Interpreter(Protocol[V]):
    """One question about a network. Values may be tensors, shapes, digests, names, …

    Two more methods are optional. `aside(name, place, branch)` is told of branches for the loss alone; `branch()` runs
    one. `visit(node, place, scope, inputs, inside)` stands around every node: `inside(*inputs)` walks into it.
    """

    def op(self, place: str, layer: type, settings: Mapping[str, Any], inputs: tuple[V, ...]) -> V:
        """What a layer makes of its inputs."""

    def add(self, place: str, values: Sequence[V]) -> V:
        """The sum of two or more values."""

    def concat(self, place: str, values: Sequence[V]) -> V:
        """Two or more values side by side along the channels."""

    def mix(self, name: str, choice: Choice, on: Mapping[str, tuple[Gate, V]]) -> V:
        """The gated sum of a choice's options that are on (never none of them)."""


def run(network: Node, inputs: tuple[Any, ...], picks: Picks, by: Any) -> Any:
    """Walk the network on `inputs` as `picks` say; None where nothing reaches the output."""
    return _Walk(network, picks, by).go(network, inputs, "", "")


@lru_cache(maxsize=256)
def _declared(network: Node) -> Mapping[str, Any]:
    return declared(network)


@lru_cache(maxsize=65536)
def _looked_up(network: Node, name: str, scope: str) -> tuple[str, Choice, bool]:
    """The decision that a name means in a namespace or, failing that, outwards of it; whether it is between layers."""
    table = _declared(network)
    parts = scope.split(".") if scope else []
    for k in range(len(parts), -1, -1):
        full = dotted(*parts[:k], name)
        if full in table:
            choice = table[full][1]
            return full, choice, choice.of_nodes
    raise SpaceError(f"derived setting at {scope or 'the network'}: {name!r} is none of its decisions")


@dataclass(frozen=True, eq=False)
class _Questions:
    """Decisions that derived settings follow from; there is one of these for equal ones."""

    asked: tuple[tuple[str, Choice, bool], ...]


@lru_cache(maxsize=65536)
def _questions(network: Node, derived: Derived, scope: str) -> _Questions:
    return _one_of(tuple([_looked_up(network, name, scope) for name in derived.decisions]))


@lru_cache(maxsize=65536)
def _one_of(asked: tuple[tuple[str, Choice, bool], ...]) -> _Questions:
    return _Questions(asked)


class _Walk:
    def __init__(self, network: Node, picks: Picks, by: Any):
        self.network, self.picks, self.by = network, picks, by
        self.visit = getattr(by, "visit", None)
        # what follows from the picks and the namespace alone is worked out once, wherever a shared piece stands
        self.derived: dict[tuple[Derived, str], Any] = {}
        self.answers: dict[_Questions, list[Any]] = {}
        self.lives: dict[Layout, States] = {}
        self.kinds: dict[type, Any] = {
            Op: self.op, Choice: self.choice, Graph: self.graph, Read: self.read, Shared: self.shared,
            Repeat: self.repeat, Aside: self.aside, Join: self.join, Nothing: self.nothing,
            Conditional: self.conditional,
        }  # fmt: skip

    def go(self, node: Node, xs: tuple[Any, ...], place: str, scope: str) -> Any:
        if self.visit is None:
            return self.kinds[type(node)](node, xs, place, scope)
        return self.visit(node, place, scope, xs, lambda *xs: self.kinds[type(node)](node, xs, place, scope))

    def op(self, node: Op, xs: tuple[Any, ...], place: str, scope: str) -> Any:
        for x in xs:
            if x is None:
                return None
        settings = {k: self.setting(v, scope) if type(v) in _CHOSEN else v for k, v in node.settings}
        return self.by.op(place, node.layer, settings, xs)

    def setting(self, value: Any, scope: str) -> Any:
        if isinstance(value, Choice):
            return self.picks.value(under(scope, value.name), value)
        if isinstance(value, Derived):
            key = value, scope
            if key not in self.derived:
                self.derived[key] = value.function(*self.answered(_questions(self.network, value, scope)))
            return self.derived[key]
        return value

    def answered(self, questions: _Questions) -> list[Any]:
        """What decisions picked."""
        if questions not in self.answers:
            self.answers[questions] = [self.picked(*one) for one in questions.asked]
        return self.answers[questions]

    def picked(self, full: str, choice: Choice, of_nodes: bool) -> Any:
        if not self.picks.asked(full):
            return None
        if of_nodes:
            return tuple([option.name for option, _ in self.on(full, choice)])
        return self.picks.value(full, choice)

    def choice(self, node: Choice, xs: tuple[Any, ...], place: str, scope: str) -> Any:
        name = under(scope, node.name)
        on = {}
        for option, gate in self.on(name, node):
            value = self.go(option.node, xs, under(place, option.name), under(scope, option.name))
            if value is not None:
                on[option.name] = (gate, value)
        return self.by.mix(name, node, on) if on else None

    def on(self, name: str, node: Choice) -> list[tuple[Option, Gate]]:
        """The options that are on, as declared, with their gates."""
        gates = self.picks.gates(name, node)
        if len(gates) == 1:  # of most architectures: the many others need not be looked at
            options = _by_name(node)
            return [(options[kept], gate) for kept, gate in gates.items() if kept in options and is_on(gate)]
        found = [(option, gates.get(option.name)) for option in node.options]
        return [(option, gate) for option, gate in found if is_on(gate)]

    def graph(self, node: Graph, xs: tuple[Any, ...], place: str, scope: str) -> Any:
        made = layout(node, len(xs), scope)
        live, states = made.live(self), list(xs)
        for bit, inside, reads, name, inner, _ in made.rows:
            if live & bit:
                incoming = tuple([states[j] for j in reads])
                states.append(self.go(inside, incoming, under(place, name), inner))
            else:
                states.append(None)
        if len(made.outputs) == 1:
            return states[made.outputs[0]]
        return self.joined(node.join, place, [states[j] for j in made.outputs])

    def joined(self, kind: str, place: str, values: Sequence[Any]) -> Any:
        present = [value for value in values if value is not None]
        if len(present) < 2:
            return present[0] if present else None
        return getattr(self.by, kind)(place, present)

    def join(self, node: Join, xs: tuple[Any, ...], place: str, scope: str) -> Any:
        return self.joined(node.kind, place, xs)

    def read(self, node: Read, xs: tuple[Any, ...], place: str, scope: str) -> Any:
        return self.go(node.node, tuple(xs[i] for i in node.sources), place, scope)

    def shared(self, node: Shared, xs: tuple[Any, ...], place: str, scope: str) -> Any:
        return self.go(node.node, xs, place, node.name)

    def repeat(self, node: Repeat, xs: tuple[Any, ...], place: str, scope: str) -> Any:
        for i in range(self.setting(node.times, scope)):
            xs = (self.go(node.body, xs, under(place, str(i)), scope if node.tie else under(scope, str(i))),)
        return xs[0]

    def aside(self, node: Aside, xs: tuple[Any, ...], place: str, scope: str) -> Any:
        if hasattr(self.by, "aside") and xs[0] is not None:
            inner = under(place, node.name)
            self.by.aside(node.name, inner, lambda: self.go(node.node, xs, inner, scope))
        return xs[0]

    def nothing(self, node: Nothing, xs: tuple[Any, ...], place: str, scope: str) -> None:
        return None

    def conditional(self, node: Conditional, xs: tuple[Any, ...], place: str, scope: str) -> Any:
        return self.go(node.node, xs, place, scope) if self.setting(node.holds, scope) else None


@lru_cache(maxsize=65536)
def _by_name(choice: Choice) -> Mapping[str, Option]:
    return {option.name: option for option in choice.options}


def meant(network: Node, name: str, scope: str) -> str:
    """The full name of the decision that a derived setting in a namespace calls by this name."""
    return _looked_up(network, name, scope)[0]


def settled(network: Node, settings: Iterable[tuple[Derived, str]], picks: Picks) -> list[Any]:
    """What derived settings come to under these picks, each in its namespace."""
    walk = _Walk(network, picks, None)
    return [walk.setting(value, scope) for value, scope in settings]
