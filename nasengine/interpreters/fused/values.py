"""A space's network as a graph of values, with the choices that can be run together gathered in groups."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from nasengine.interpreters.gated import Opened
from nasengine.space import Choice, Space, run


@dataclass(eq=False)
class Input:
    """The images."""

    inputs: "tuple[Value, ...]" = ()


@dataclass(eq=False)
class Layer:
    """What a layer makes of its inputs."""

    place: str
    layer: type
    settings: Mapping[str, Any]
    inputs: "tuple[Value, ...]"


@dataclass(eq=False)
class Join:
    """A sum ("add") or channels side by side ("concat")."""

    kind: str
    inputs: "tuple[Value, ...]"


@dataclass(eq=False)
class Mix:
    """The gated sum of a choice's options.

    reads: what each option reads of the graph: its value or, where it is run in a group, what this is made of
    inside: the layers of a choice that is run in a group, in the order of the walk
    """

    name: str
    choice: Choice
    options: "dict[str, Value]"
    reads: "dict[str, tuple[Value, ...]]"
    inside: "list[Layer]" = field(default_factory=list)
    group: "Group | None" = None

    @property
    def inputs(self) -> "tuple[Value, ...]":
        """What any of its options reads, each once."""
        return tuple(dict.fromkeys(x for reads in self.reads.values() for x in reads))


@dataclass(eq=False)
class Group:
    """Choices with the same layers on the same inputs: member after member, in the order of the walk."""

    members: list[Mix] = field(default_factory=list)


Value: TypeAlias = Input | Layer | Join | Mix


class Tracer:
    """The interpreter whose values are nodes of the graph; afterwards `values` holds them in the order of the walk."""

    def __init__(self) -> None:
        self.values: list[Value] = []

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
        """Take the layers of a choice out of the graph and into the choice, unless it holds more than layers."""
        if not isinstance(node, Choice):
            return inside(*inputs)
        begun = len(self.values)
        result = inside(*inputs)
        made = [value for value in self.values[begun:-1] if isinstance(value, Layer)]
        if isinstance(result, Mix) and len(made) == len(self.values) - begun - 1:
            result.inside, result.group = made, Group()
            result.reads = {option: _sources(value, made) for option, value in result.options.items()}
            del self.values[begun:-1]
        return result


def _sources(value: Value, made: Sequence[Value]) -> tuple[Value, ...]:
    """What a value is made of in the end, outside of these layers."""
    if not isinstance(value, Layer) or value not in made:
        return (value,)
    return tuple(dict.fromkeys(source for x in value.inputs for source in _sources(x, made)))


def graph(space: Space) -> tuple[Input, list[Value], Value]:
    """The images, all values outside of groups in the order of the walk, and the output of a space's supernet."""
    tracer, images = Tracer(), Input()
    output: Value = run(space.network, (images,), Opened(space), tracer)
    groups: dict[Hashable, Group] = {}
    for value in tracer.values:
        if isinstance(value, Mix) and value.group is not None:
            value.group = groups.setdefault(_structure(value), value.group)
            value.group.members.append(value)
    return images, tracer.values, output


def kind_of(value: Layer) -> Hashable:
    """What layers have in common that differ in their place and their inputs only."""
    return value.layer, repr(sorted(value.settings.items()))


def _structure(mix: Mix) -> Hashable:
    """What two choices have in common that can be run as one: the layers, their settings, and what they read."""
    own: dict[Value, Hashable] = {}
    for layer in mix.inside:
        own[layer] = (kind_of(layer), tuple(own.get(x, id(x)) for x in layer.inputs))
    return tuple((option, own.get(value, id(value))) for option, value in mix.options.items())
