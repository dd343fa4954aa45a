"""How deep a space can get: the longest chain of choices that hold layers with weights, by namespace."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nasengine.space import EVERYTHING, Choice, Node, Space, run
from nasengine.space.nodes import Aside, Graph, Read, Repeat, Shared

WEIGHTLESS = frozenset({"skip", "pool", "norm", "zero", "edge", "value"})  # kinds that deepen nothing by themselves
Chain = tuple[str, ...]  # decisions, one reading what the one before it made


def namespaces(space: Space) -> dict[str, str]:
    """Decision -> the outermost shared namespace it belongs to, or "" for the network's own."""
    every = {node.name for node, _ in _shared(space.network, 1)}
    names = [name for name in every if not any(name.startswith(f"{other}.") for other in every)]
    return {
        decision: next((name for name in names if decision.startswith(f"{name}.")), "") for decision in space.decisions
    }


def deepest_paths(space: Space) -> dict[str, Chain]:
    """Namespace -> its longest chain of decisions that hold an option with weights.

    A shared piece counts once, from its inputs to its output, however often it stands in the network. Among chains
    of one length it is the one that starts at the latest input: the previous cell's output in a cell like DARTS'.
    """
    owners = namespaces(space)
    pieces: dict[str, tuple[Node, int]] = {"": (space.network, 1)}
    for node, inputs in _shared(space.network, 1):
        if node.name in owners.values():
            pieces.setdefault(node.name, (node, inputs))
    paths = {}
    for namespace, (piece, inputs) in pieces.items():
        deepens = {name for name, owner in owners.items() if owner == namespace and _has_weights(space, name)}
        if deepens:
            found: Chain | None = run(piece, ((),) * inputs, EVERYTHING, _Chains(deepens))
            paths[namespace] = found or ()
    return paths


def _has_weights(space: Space, name: str) -> bool:
    decision = space.decisions[name]
    return len(decision.relaxed) > 1 and any(decision.kinds[option] not in WEIGHTLESS for option in decision.relaxed)


def _shared(node: Any, inputs: int) -> Iterator[tuple[Shared, int]]:
    """Every shared piece below a node, with the number of values it reads."""
    match node:
        case Shared(node=inside):
            yield node, inputs
            yield from _shared(inside, inputs)
        case Graph(steps=steps):
            for step in steps:
                yield from _shared(step.node, inputs if step.reads is None else len(step.reads))
        case Choice(options=options):
            for option in options:
                yield from _shared(option.node, inputs)
        case Read(sources=sources, node=inside):
            yield from _shared(inside, len(sources))
        case Repeat(body=inside) | Aside(node=inside):
            yield from _shared(inside, inputs)


class _Chains:
    """An interpreter whose values are the longest chains on the way from the inputs."""

    def __init__(self, deepens: set[str]):
        self.deepens = deepens

    def op(self, place: str, layer: type, settings: Mapping[str, Any], inputs: tuple[Chain, ...]) -> Chain:
        return _longest(inputs)

    def add(self, place: str, values: Sequence[Chain]) -> Chain:
        return _longest(values)

    def concat(self, place: str, values: Sequence[Chain]) -> Chain:
        return _longest(values)

    def mix(self, name: str, choice: Choice, on: Mapping[str, tuple[Any, Chain]]) -> Chain:
        longest = _longest([chain for _, chain in on.values()])
        return (*longest, name) if name in self.deepens and name not in longest else longest


def _longest(chains: Sequence[Chain]) -> Chain:
    """The longest; the last one among equals."""
    return max(reversed(chains), key=len)
