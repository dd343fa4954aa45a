"""A space's network drawn as a graph of values, with the choices that can be run together gathered in groups."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nasengine.interpreters.fused.values import Group, Input, Join, Layer, Mix, Value, reached
from nasengine.interpreters.gated import Opened
from nasengine.space import Choice, Space, run
from nasengine.space.nodes import Conditional, Derived, Graph, Op, Repeat


@dataclass
class Drawing:
    """The network with everything on that its space allows.

    values: all outside of groups, in the order of the walk
    derived: the settings and conditions, each with its namespace, that follow from what is on
    is_whole: whether every layer leads to the output, and every piece reads all that it gets; where one does not, the
        walk runs layers for nothing, and their norms see them
    """

    images: Input
    values: list[Value]
    output: Value
    derived: list[tuple[Derived, str]]
    is_whole: bool


class Tracer:
    """The interpreter whose values are nodes of the graph; afterwards `values` holds them in the order of the walk."""

    def __init__(self) -> None:
        self.values: list[Value] = []
        self.derived: dict[tuple[Derived, str], None] = {}
        self.is_whole = True

    def _made(self, value: Value) -> Value:
        self.values.append(value)
        return value

    def op(self, place: str, layer: type, settings: Mapping[str, Any], inputs: tuple[Value, ...]) -> Value:
        """A layer."""
        return self._made(Layer(place, layer, settings, inputs))

    def add(self, place: str, values: Sequence[Value]) -> Value:
        """A sum."""
        return self._made(Join("add", tuple(values)))

    def concat(self, place: str, values: Sequence[Value]) -> Value:
        """Channels side by side."""
        return self._made(Join("concat", tuple(values)))

    def mix(self, name: str, choice: Choice, on: Mapping[str, tuple[Any, Value]]) -> Value:
        """A choice."""
        options = {option: value for option, (_, value) in on.items()}
        return self._made(Mix(name, choice, options, {option: (value,) for option, value in options.items()}))

    def visit(
        self, node: Any, place: str, scope: str, inputs: tuple[Value, ...], inside: Callable[..., Value | None]
    ) -> Value | None:
        """Take note of what follows from picks; take the layers of a choice out of the graph and into the choice."""
        self.derived.update({(value, scope): None for value in _settings(node) if isinstance(value, Derived)})
        begun = len(self.values)
        result = inside(*inputs)
        if isinstance(node, Choice) and isinstance(result, Mix):
            self._take(result, begun)
        elif isinstance(node, Graph) and result is not None:
            self.is_whole = self.is_whole and _reads_all(result, inputs)
        return result

    def _take(self, mix: Mix, begun: int) -> None:
        """Make a choice a group of its own, unless it holds more than layers."""
        made = [value for value in self.values[begun:-1] if isinstance(value, Layer)]
        if len(made) == len(self.values) - begun - 1:
            mix.inside, mix.group = made, Group()
            mix.reads = {option: _sources(value, made) for option, value in mix.options.items()}
            del self.values[begun:-1]


def _settings(node: Any) -> Sequence[Any]:
    """The settings and conditions of a node that may follow from picks."""
    match node:
        case Op(settings=settings):
            return [value for _, value in settings]
        case Conditional(holds=holds):
            return [holds]
        case Repeat(times=times):
            return [times]
    return []


def _reads_all(result: Value, inputs: Sequence[Value | None]) -> bool:
    """Whether a value depends on all of these inputs that are there."""
    wanted = {x for x in inputs if x is not None}
    seen: set[Value] = set()
    waiting = [result]
    while waiting and wanted:
        value = waiting.pop()
        if value in wanted:
            wanted.remove(value)
        elif value not in seen:
            waiting.extend(value.inputs)
        seen.add(value)
    return not wanted


def _sources(value: Value, made: Sequence[Value]) -> tuple[Value, ...]:
    """What a value is made of in the end, outside of these layers."""
    if not isinstance(value, Layer) or value not in made:
        return (value,)
    return tuple(dict.fromkeys(source for x in value.inputs for source in _sources(x, made)))


def drawing(space: Space) -> Drawing:
    """The graph of a space's supernet."""
    tracer, images = Tracer(), Input()
    output: Value = run(space.network, (images,), Opened(space), tracer)
    groups: dict[Hashable, Group] = {}
    mixes = [value for value in tracer.values if isinstance(value, Mix)]
    for mix in mixes:
        if mix.group is not None:
            mix.group = groups.setdefault(_structure(mix), mix.group)
            mix.group.members.append(mix)
    read = reached(output, set(tracer.values))
    inner = all(
        set(mix.inside) == set().union(*(reached(value, set(mix.inside)) for value in mix.options.values()))
        for mix in mixes
    )
    is_whole = tracer.is_whole and inner and len(read) == len(tracer.values)
    return Drawing(images, tracer.values, output, list(tracer.derived), is_whole)


def _structure(mix: Mix) -> Hashable:
    """What choices have in common that can be run as one: layers in the same order, settings, and what they read."""
    number = {layer: i for i, layer in enumerate(mix.inside)}

    def known(value: Value) -> Hashable:
        return number[value] if isinstance(value, Layer) and value in number else id(value)

    layers = tuple(
        (layer.layer, repr(sorted(layer.settings.items())), tuple(map(known, layer.inputs))) for layer in mix.inside
    )
    return layers, tuple((option, known(value)) for option, value in mix.options.items())
