"""One network as figures to look at: the network, and each shared piece of it once."""

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nasengine.space import Architecture, Choice, Node, Op, Space, kind_of, run
from nasengine.space.nodes import Aside, Graph, Join, Read, Repeat, Shared, dotted


@dataclass
class Vertex:
    """A value in a figure, and what made it."""

    label: str
    kind: str  # of the layer; "input", "add", "concat" and "shared" for the rest
    inputs: tuple[int, ...] = ()
    name: str = ""  # the place of the step that made it, within the figure
    picked: bool = False  # whether the label says what the architecture picked


@dataclass
class Figure:
    """The network, or a shared piece of it; vertices come after those that they read."""

    name: str
    places: list[str] = field(default_factory=list)  # where a shared piece stands
    vertices: list[Vertex] = field(default_factory=list)
    output: int | None = None  # None: nothing reaches the output

    def put(self, *vertex: Any, **more: Any) -> int:
        """Append a vertex; its number."""
        self.vertices.append(Vertex(*vertex, **more))
        return len(self.vertices) - 1


def figures(space: Space, architecture: Architecture) -> list[Figure]:
    """The network first, then every shared piece as it is where it was first met.

    An option without further choices between layers is one vertex. What is for training alone is left out.
    """
    whole = Figure(space.name)
    drawing = _Drawing(architecture, whole)
    start = whole.put("input", "input", name="input")
    whole.output = run(space.network, (start,), architecture, drawing)
    return [whole, *drawing.pieces.values()]


def label(layer: type, settings: Mapping[str, Any], picked: Collection[str] = ()) -> str:
    """A layer's name with the settings that were picked or are not its defaults."""
    defaults = {name: parameter.default for name, parameter in inspect.signature(layer).parameters.items()}
    usual = [name for name, value in settings.items() if name in defaults and defaults[name] == value]
    return bracketed(layer.__name__, {n: value for n, value in settings.items() if n in picked or n not in usual})


def bracketed(name: str, settings: Mapping[str, Any]) -> str:
    """`Conv[kernel=3, stride=2]`."""
    words = ", ".join(f"{key}={value}" for key, value in settings.items())
    return f"{name}[{words}]" if words else name


class _Drawing:
    """An interpreter whose values are the numbers of vertices in the figure that is being drawn."""

    def __init__(self, architecture: Architecture, whole: Figure):
        self.architecture = architecture
        self.pieces: dict[str, Figure] = {}
        self.figure, self.root = whole, ""
        self.picked: set[str] = set()  # the settings of the layer at hand that are decisions
        self.options: dict[str, str] = {}  # place of an option that is one vertex -> its label

    def visit(self, node: Node, place: str, scope: str, inputs: tuple[Any, ...], inside: Callable[..., Any]) -> Any:
        """Around every node: draw shared pieces apart and options as one, and name what steps made."""
        before = len(self.figure.vertices)
        if isinstance(node, Op):
            self.picked = {name for name, setting in node.settings if isinstance(setting, Choice)}
        value = self.value(node, place, scope, inputs, inside)
        if value is not None and value >= before:
            vertex = self.figure.vertices[value]
            vertex.name = place[len(self.root) :].lstrip(".") or vertex.name
        return value

    def value(self, node: Node, place: str, scope: str, inputs: tuple[Any, ...], inside: Callable[..., Any]) -> Any:
        complete = all(x is not None for x in inputs)
        if isinstance(node, Shared) and complete and not node.name.startswith(f"{self.figure.name}."):
            return self.shared(node, place, inputs, inside)
        if isinstance(node, Choice):
            self.options |= {
                dotted(place, option.name): self.option_label(option.name, dotted(scope, option.name))
                for option in node.options
                if _is_one(option.node)
            }
        elif complete and place in self.options and not isinstance(node, Read):
            return self.figure.put(self.options[place], kind_of(node), inputs, picked=True)
        return inside(*inputs)

    def shared(self, node: Shared, place: str, inputs: tuple[int, ...], inside: Callable[..., Any]) -> int | None:
        """The piece as one vertex, and as a figure of its own when it is first met."""
        if node.name not in self.pieces:
            piece = self.pieces[node.name] = Figure(node.name)
            outside = self.figure, self.root
            self.figure, self.root = piece, place
            names = ["input"] if len(inputs) == 1 else [f"input{i}" for i in range(len(inputs))]
            piece.output = inside(*[piece.put(name, "input", name=name) for name in names])
            self.figure, self.root = outside
        piece = self.pieces[node.name]
        piece.places.append(place)
        return None if piece.output is None else self.figure.put(node.name, "shared", inputs)

    def option_label(self, name: str, scope: str) -> str:
        """An option with the sizes picked below it."""
        picks = self.architecture.picks.items()
        return bracketed(name, {n.removeprefix(f"{scope}."): kept[0] for n, kept in picks if n.startswith(f"{scope}.")})

    def op(self, place: str, layer: type, settings: Mapping[str, Any], inputs: tuple[int, ...]) -> int:
        if getattr(layer, "training_only", False):
            return inputs[0]
        words = label(layer, settings, self.picked)
        return self.figure.put(words, getattr(layer, "kind", "other"), inputs, picked=bool(self.picked))

    def add(self, place: str, values: Sequence[int]) -> int:
        return self.figure.put("+", "add", tuple(values))

    def concat(self, place: str, values: Sequence[int]) -> int:
        return self.figure.put("concat", "concat", tuple(values))

    def mix(self, name: str, choice: Choice, on: Mapping[str, tuple[Any, int]]) -> int:
        values = [value for _, value in on.values()]
        return values[0] if len(values) == 1 else self.add(name, values)


def _is_one(node: Any) -> bool:
    """Whether an option is drawn as one vertex: no choice between layers in it, no piece that stands elsewhere too."""
    match node:
        case Read(node=inside):
            return not isinstance(inside, Read) and _is_one(inside)
        case Graph(steps=steps):
            return all(_is_one(step.node) and not isinstance(step.node, Read) for step in steps)
        case Repeat(body=body):
            return _is_one(body)
        case _:
            return isinstance(node, (Op, Join, Aside))
