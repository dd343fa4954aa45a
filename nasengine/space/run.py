"""The second view of a space: one walk over the network, and an interpreter that says what walking means."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol, TypeVar

from nasengine.errors import SpaceError
from nasengine.space.decisions import declared
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


class _Walk:
    def __init__(self, network: Node, picks: Picks, by: Any):
        self.network, self.picks, self.by = network, picks, by
        self.visit = getattr(by, "visit", None)
        # what follows from the picks and the namespace alone is worked out once, wherever a shared piece stands
        self.derived: dict[tuple[Derived, str], Any] = {}
        self.answers: dict[tuple[str, str], Any] = {}
        self.lives: dict[tuple[Graph, int, str], tuple[set[int], set[int]]] = {}
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
        if any(x is None for x in xs):
            return None
        settings = {k: self.setting(v, scope) if type(v) in _CHOSEN else v for k, v in node.settings}
        return self.by.op(place, node.layer, settings, xs)

    def setting(self, value: Any, scope: str) -> Any:
        if isinstance(value, Choice):
            return self.picks.value(under(scope, value.name), value)
        if isinstance(value, Derived):
            key = value, scope
            if key not in self.derived:
                self.derived[key] = value.function(*(self.picked(name, scope) for name in value.decisions))
            return self.derived[key]
        return value

    def picked(self, name: str, scope: str) -> Any:
        """What a decision picked."""
        key = name, scope
        if key not in self.answers:
            self.answers[key] = self._picked(name, scope)
        return self.answers[key]

    def _picked(self, name: str, scope: str) -> Any:
        full, choice, of_nodes = _looked_up(self.network, name, scope)
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
            return [(options[kept], gate) for kept, gate in gates.items() if kept in options and _is_on(gate)]
        found = [(option, gates.get(option.name)) for option in node.options]
        return [(option, gate) for option, gate in found if _is_on(gate)]

    def graph(self, node: Graph, xs: tuple[Any, ...], place: str, scope: str) -> Any:
        states = list(xs)
        live = self.live(node, len(xs), scope)
        for i, step in enumerate(node.steps):
            if i not in live:
                states.append(None)
                continue
            inner = under(scope, step.name) if step.named else scope
            incoming = tuple(states[j] for j in _numbers(step.reads, len(xs), len(states)))
            states.append(self.go(step.node, incoming, under(place, step.name), inner))
        outputs = [states[j] for j in _numbers(node.outputs, len(xs), len(states))]
        return self.joined(node.join, place, outputs)

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

    def live(self, node: Graph, inputs: int, scope: str) -> frozenset[int] | set[int]:
        """The steps that something leads from to the output, under these picks."""
        return self._backwards(node, inputs, scope)[0] if _selective(node) else _always_live(node, inputs)

    def _backwards(self, node: Graph, inputs: int, scope: str) -> tuple[set[int], set[int]]:
        """The live steps, and the inputs of the graph that they or the output read."""
        key = node, inputs, scope
        if key not in self.lives:
            self.lives[key] = self._looked_backwards(node, inputs, scope)
        return self.lives[key]

    def _looked_backwards(self, node: Graph, inputs: int, scope: str) -> tuple[set[int], set[int]]:
        wanted = set(_numbers(node.outputs, inputs, inputs + len(node.steps)))
        for i in range(len(node.steps) - 1, -1, -1):
            if inputs + i in wanted:
                step = node.steps[i]
                reads = _numbers(step.reads, inputs, inputs + i)
                inner = under(scope, step.name) if step.named else scope
                wanted.update(reads[j] for j in self.used(step.node, len(reads), inner))
        return {i for i in range(len(node.steps)) if inputs + i in wanted}, {i for i in wanted if i < inputs}

    def used(self, node: Node, inputs: int, scope: str) -> set[int]:
        """Which of its inputs a node reads, under these picks."""
        if _selective(node):
            match node:
                case Nothing():
                    return set()
                case Conditional(holds=holds, node=inside):
                    return self.used(inside, inputs, scope) if self.setting(holds, scope) else set()
                case Read(sources=sources, node=inside):
                    return {sources[i] for i in self.used(inside, len(sources), scope)}
                case Choice(name=name):
                    on = self.on(under(scope, name), node)
                    return set().union(*(self.used(o.node, inputs, under(scope, o.name)) for o, _ in on))
                case Graph():
                    return self._backwards(node, inputs, scope)[1]
                case Shared(name=name, node=inside):
                    return self.used(inside, inputs, name)
        return set(range(inputs))


@lru_cache(maxsize=65536)
def _always_live(node: Graph, inputs: int) -> frozenset[int]:
    return frozenset(_Walk(node, None, None)._backwards(node, inputs, "")[0])  # type: ignore[arg-type]


def _is_on(gate: Gate) -> bool:
    return gate is not None and not (isinstance(gate, float) and gate == 0.0)


@lru_cache(maxsize=65536)
def _by_name(choice: Choice) -> Mapping[str, Option]:
    return {option.name: option for option in choice.options}


@lru_cache(maxsize=4096)
def _numbers(reads: tuple[int, ...] | None, inputs: int, states: int) -> tuple[int, ...]:
    """State numbers counted from the first input; a read from before the first input gets the first."""
    if reads is None:
        return tuple(range(inputs))
    return tuple(max(i + states, 0) if i < 0 else i for i in reads)


def meant(network: Node, name: str, scope: str) -> str:
    """The full name of the decision that a derived setting in a namespace calls by this name."""
    return _looked_up(network, name, scope)[0]
