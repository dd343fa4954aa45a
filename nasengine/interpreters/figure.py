"""One network as figures to look at: the network, and each shared piece of it once."""

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from nasengine.space import Architecture, Choice, Node, Op, Space, kind_of, run
from nasengine.space.decisions import declared
from nasengine.space.nodes import Aside, Conditional, Graph, Join, Nothing, Read, Repeat, Shared, dotted


@dataclass
class Vertex:
    """A value in a figure, and what made it."""

    label: str
    kind: str  # of the layer; "input", "add", "concat" and "shared" for the rest
    inputs: tuple[int, ...] = ()
    name: str = ""  # the place of the step that made it, within the figure
    picked: bool = False  # whether the label says what the architecture picked
    present: bool = False  # whether what was picked is only that it is there
    joined: str = ""  # the place of the join that has this as its one value, within the figure


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


def figures(space: Space, architecture: Architecture, apart: Collection[Node] = ()) -> list[Figure]:
    """The network first, then every shared piece as it is where it was first met; `apart` are pieces, too.

    An option without further choices between layers is one vertex. What is for training alone is left out.
    """
    whole = Figure(space.name)
    drawing = _Drawing(architecture, whole, shared_pieces(space.network), apart)
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


@lru_cache(maxsize=64)
def shared_pieces(network: Node) -> frozenset[str]:
    """The names under which the same decisions stand wherever they stand; others are mere namespaces."""
    asked: dict[str, list[frozenset[str]]] = {}
    for node in parts(network):
        if isinstance(node, Shared):
            asked.setdefault(node.name, []).append(frozenset(declared(node)))
    return frozenset(name for name, everywhere in asked.items() if len(set(everywhere)) == 1)


def parts(node: Any) -> Iterator[Node]:
    """A node and all nodes in it, those in settings left out."""
    if not isinstance(node, Node):
        return
    yield node
    match node:
        case Graph(steps=steps):
            inside: Sequence[Any] = [step.node for step in steps]
        case Choice(options=options):
            inside = [option.node for option in options]
        case Repeat(body=one) | Read(node=one) | Shared(node=one) | Aside(node=one) | Conditional(node=one):
            inside = [one]
        case _:
            inside = []
    for one in inside:
        yield from parts(one)


class _Drawing:
    """An interpreter whose values are the numbers of vertices in the figure that is being drawn."""

    def __init__(self, architecture: Architecture, whole: Figure, names: Collection[str], apart: Collection[Node] = ()):
        self.architecture, self.names, self.apart = architecture, names, frozenset(apart)
        self.pieces: dict[str, Figure] = {}
        self.figure, self.root = whole, ""
        self.picked: set[str] = set()  # the settings of the layer at hand that are decisions
        self.options: dict[str, str] = {}  # place of an option that is one vertex -> its label
        self.present: set[str] = set()  # places of options beside which there is nothing

    def visit(self, node: Node, place: str, scope: str, inputs: tuple[Any, ...], inside: Callable[..., Any]) -> Any:
        """Around every node: draw shared pieces apart and options as one, and name what steps made."""
        before = len(self.figure.vertices)
        if isinstance(node, Op):
            self.picked = {name for name, setting in node.settings if isinstance(setting, Choice)}
        value = self.value(node, place, scope, inputs, inside)
        if value is not None:
            vertex, name = self.figure.vertices[value], place[len(self.root) :].lstrip(".")
            if value >= before:
                vertex.name = name or vertex.name
            elif isinstance(node, Join):
                vertex.joined = vertex.joined or name
        return value

    def value(self, node: Node, place: str, scope: str, inputs: tuple[Any, ...], inside: Callable[..., Any]) -> Any:
        complete = all(x is not None for x in inputs)
        if isinstance(node, Shared) and node.name in self.names and complete and not self.within(node.name):
            return self.piece(node.name, place, inputs, inside)
        if node in self.apart and complete:
            return self.piece(place or self.figure.name, place, inputs, inside)
        if isinstance(node, Choice):
            if any(isinstance(option.node, Nothing) for option in node.options):
                self.present |= {dotted(place, option.name) for option in node.options}
            self.options |= {
                dotted(place, option.name): self.option_label(option.name, dotted(scope, option.name))
                for option in node.options
                if _is_one(option.node)
            }
        elif complete and place in self.options and not isinstance(node, Read):
            one = place in self.present
            return self.figure.put(self.options[place], kind_of(node), inputs, picked=True, present=one)
        return inside(*inputs)

    def within(self, name: str) -> bool:
        """Whether a piece is drawn as part of the one that is being drawn: `normal.left` in `normal`."""
        return name.startswith(f"{self.figure.name}.")

    def piece(self, title: str, place: str, inputs: tuple[int, ...], inside: Callable[..., Any]) -> int | None:
        """The piece as one vertex, and as a figure of its own when it is first met."""
        if title not in self.pieces:
            piece = self.pieces[title] = Figure(title)
            outside = self.figure, self.root
            self.figure, self.root = piece, place
            names = ["input"] if len(inputs) == 1 else [f"input{i}" for i in range(len(inputs))]
            piece.output = inside(*[piece.put(name, "input", name=name) for name in names])
            self.figure, self.root = outside
        piece = self.pieces[title]
        piece.places.append(place)
        return None if piece.output is None else self.figure.put(title, "shared", inputs)

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
