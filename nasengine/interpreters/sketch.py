"""All networks of a space in one sketch, so that what is live, and what is the same, is computed for many at once.

The network is walked once, with everything on. What an architecture picks then opens and closes ways through the
sketch, and a sum over the open ways is one operation on a column of numbers, a row for each architecture.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Literal

import numpy
from numpy.typing import NDArray

from nasengine.space import EVERYTHING, Choice, Node, Op, Space, run
from nasengine.space.nodes import Derived, Repeat, Shared, dotted

Way = tuple[int, int | None]  # a vertex that is read, and the column that has to be on for it; None: always read


@dataclass(frozen=True)
class Vertex:
    """A value of the network, and how it is made of earlier ones."""

    kind: Literal["input", "layer", "zero", "add", "concat"]
    ways: tuple[Way, ...] = ()
    word: int = 0  # a hash of what the layer is
    marks: tuple[int, ...] = ()  # the columns that are picked here
    sizes: tuple[int, ...] = ()  # for each mark a hash of the value that it stands for
    keeps_zero: bool = False
    piece: str = ""  # the shared piece that it stands in; "" is the network
    runs: str | None = None  # the shared piece that is run here


@dataclass
class Sketch:
    """An interpreter whose values are numbers of vertices; afterwards `outputs` has the last one of each piece."""

    column: Mapping[tuple[str, str], int]  # of (decision, option)
    vertices: list[Vertex] = field(default_factory=list)
    outputs: dict[str, int | None] = field(default_factory=dict)
    piece: str = ""
    made: dict[str, int | None] = field(default_factory=dict)  # by place

    def put(self, kind: Any, ways: Sequence[Way] = (), **more: Any) -> int:
        """Append a vertex; its number."""
        self.vertices.append(Vertex(kind, tuple(ways), piece=self.piece, **more))
        return len(self.vertices) - 1

    def visit(self, node: Node, place: str, scope: str, inputs: tuple[Any, ...], inside: Callable[..., Any]) -> Any:
        """Around every node: layers are not built, and shared pieces are sketched apart and once."""
        absent = any(x is None for x in inputs)
        if isinstance(node, Op):
            value = None if absent else self.layer(node, scope, inputs)
        elif isinstance(node, Shared):
            value = None if absent else self.shared(node.name, inputs, inside)
        else:
            value = inside(*inputs)
            if isinstance(node, Repeat) and isinstance(node.times, Choice):
                value = self.repeated(node.times, place, scope, inputs[0])
        self.made[place] = value
        return value

    def layer(self, node: Op, scope: str, inputs: tuple[int, ...]) -> int:
        """A layer; settings that are derived are taken to follow from what is seen elsewhere."""
        if getattr(node.layer, "training_only", False):
            return inputs[0]
        if getattr(node.layer, "zero", False):
            return self.put("zero")
        sizes = {
            column: hash_of(f"{setting}={option.node!r}")
            for setting, choice in node.settings
            if isinstance(choice, Choice)
            for option in choice.options
            if (column := self.column.get((dotted(scope, choice.name), option.name))) is not None
        }
        ways = [(x, None) for x in inputs]
        if getattr(node.layer, "identity", False):
            return self.put("add", ways, marks=tuple(sizes)) if sizes else inputs[0]
        zero = getattr(node.layer, "keeps_zero", False)
        word, values = _word(node), tuple(sizes.values())
        return self.put("layer", ways, word=word, marks=tuple(sizes), sizes=values, keeps_zero=zero)

    def shared(self, name: str, inputs: tuple[int, ...], inside: Callable[..., Any]) -> int:
        """One vertex where a piece stands; the piece itself begins with inputs of its own."""
        if name not in self.outputs:
            outside, self.piece = self.piece, name
            self.outputs[name] = None  # a piece in itself ends here
            self.outputs[name] = inside(*[self.put("input", word=hash_of(f"{name} {i}")) for i in range(len(inputs))])
            self.piece = outside
        return self.put("layer", [(x, None) for x in inputs], word=hash_of(name), runs=name)

    def repeated(self, times: Choice, place: str, scope: str, start: int | None) -> int | None:
        """The value after as many rounds as are picked."""
        after = {o.name: self.made[dotted(place, str(o.node - 1))] if o.node else start for o in times.options}
        return self.picked(dotted(scope, times.name), after)

    def picked(self, name: str, values: Mapping[str, int | None]) -> int | None:
        """The sum of the values of those options that are picked."""
        found = [(self.column.get((name, option)), value) for option, value in values.items()]
        ways = [(value, column) for column, value in found if column is not None and value is not None]
        return self.put("add", [(self.put("add", [way], marks=(way[1],)), None) for way in ways]) if ways else None

    def mix(self, name: str, choice: Choice, on: Mapping[str, tuple[Any, int]]) -> int | None:
        """A choice between layers."""
        return self.picked(name, {option: value for option, (_, value) in on.items()})

    def add(self, place: str, values: Sequence[int]) -> int:
        """A sum."""
        return self.put("add", [(value, None) for value in values])

    def concat(self, place: str, values: Sequence[int]) -> int:
        """Values side by side."""
        return self.put("concat", [(value, None) for value in values])


def sketch(space: Space, column: Mapping[tuple[str, str], int]) -> Sketch:
    """The sketch of a space whose options (decision, option) are the columns with these numbers."""
    made = Sketch(column)
    start = made.put("input", word=hash_of("input"))
    made.outputs[""] = run(space.network, (start,), EVERYTHING, made)
    return made


def _word(node: Op) -> int:
    """A hash of a layer with all its settings but those that are picked or derived."""
    signature = inspect.signature(node.layer)
    usual = {name: one.default for name, one in signature.parameters.items() if one.default is not one.empty}
    fixed = {n: v for n, v in {**usual, **dict(node.settings)}.items() if not isinstance(v, (Choice, Derived))}
    words = [
        f"{node.layer.__module__}.{node.layer.__qualname__}",
        *(f"{name}={value!r}" for name, value in fixed.items()),
    ]
    return sum(map(hash_of, words)) % 2**64


def hash_of(words: str) -> int:
    """64 bits that are the same in every process."""
    return int.from_bytes(blake2b(words.encode(), digest_size=8).digest(), "little")


def count_paths(made: Sketch, on: NDArray[numpy.bool_]) -> tuple[NDArray[numpy.float64], NDArray[numpy.float64]]:
    """How many live paths lead from an input to each vertex, and through it to the output of its piece.

    `on` is (architectures, columns); both results are (vertices, architectures).
    """
    opened = on.T.astype(numpy.float64)
    to, through = numpy.zeros((2, len(made.vertices), len(on)))
    alive = numpy.ones_like(to)  # whether the piece that a vertex runs brings anything
    for number, vertex in enumerate(made.vertices):
        if vertex.kind == "input":
            to[number] = 1.0
        for source, column in vertex.ways:
            to[number] += to[source] if column is None else to[source] * opened[column]
        if vertex.runs is not None:
            output = made.outputs[vertex.runs]
            alive[number] = 0.0 if output is None else to[output] > 0
            to[number] *= alive[number]
    for output in made.outputs.values():
        if output is not None:
            through[output] = 1.0
    for number in reversed(range(len(made.vertices))):
        through[number] *= alive[number]
        for source, column in made.vertices[number].ways:
            through[source] += through[number] if column is None else through[number] * opened[column]
    return to, through * to
