"""An architecture as numbers, as paths and as a graph: what predictors learn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nasengine.errors import SpaceError
from nasengine.interpreters.figure import Figure, figures, label
from nasengine.space import Architecture, Choice, Space, run

if TYPE_CHECKING:
    from networkx import DiGraph

Paths = frozenset[tuple[str, ...]]
MOST_PATHS = 100_000


def columns(space: Space) -> list[tuple[str, str]]:
    """What each number of `one_hot` stands for: (decision, option)."""
    return [(name, option) for name, decision in space.decisions.items() for option in decision.options]


def one_hot(space: Space, architecture: Architecture) -> list[float]:
    """One for each option kept, zero for all others and for decisions that are not asked; equally long for all."""
    picks = architecture.picks
    return [float(option in picks.get(name, ())) for name, option in columns(space)]


def paths(space: Space, architecture: Architecture) -> Paths:
    """The ways from the input to the output, each as what was picked along it.

    The path encoding of BANANAS (White et al., 2021, https://arxiv.org/abs/1910.11858). A shared piece counts once,
    its paths beginning with its name and the input they start at; layers that nobody picked are left out.
    Raises SpaceError where there are more than 100,000.
    """
    found: set[tuple[str, ...]] = set()
    for figure in figures(space, architecture):
        found |= _through(figure)
    return frozenset(path for path in found if path)


def _through(figure: Figure) -> Paths:
    ways: list[Paths] = []
    for vertex in figure.vertices:
        if vertex.kind == "input":
            ways.append(frozenset([(figure.name, vertex.label) if figure.places else ()]))
            continue
        arriving = frozenset().union(*(ways[number] for number in vertex.inputs))
        if len(arriving) > MOST_PATHS:
            raise SpaceError(
                f"space {figure.name}: an architecture has more than {MOST_PATHS} paths; "
                "use one_hot or graph, or put what repeats into shared(…)"
            )
        ways.append(frozenset((*path, vertex.label) for path in arriving) if vertex.picked else arriving)
    return frozenset() if figure.output is None else ways[figure.output]


def graph(space: Space, architecture: Architecture) -> DiGraph:
    """The whole network, a vertex for the input, each layer, sum and concatenation, and the output.

    Vertices are numbered in an order in which they can be computed, and have a `label`, a `kind` (the layer's;
    "input", "add", "concat", "output"), `settings` and a `place` ("" where it is none). Edges have `positions`: which
    of the inputs they are, several where one value is read twice. What is for training alone is left out.
    """
    import networkx  # slow to import

    drawn = _Graph(networkx.DiGraph())
    output = run(space.network, (drawn.put("input", "input", ()),), architecture, drawn)
    drawn.put("output", "output", () if output is None else (output,))
    return drawn.graph


class _Graph:
    """An interpreter whose values are vertex numbers."""

    def __init__(self, empty: DiGraph):
        self.graph = empty

    def put(
        self, words: str, kind: str, inputs: Sequence[int], place: str = "", settings: Mapping[str, Any] | None = None
    ) -> int:
        number = len(self.graph)
        self.graph.add_node(number, label=words, kind=kind, place=place, settings=dict(settings or {}))
        for source in dict.fromkeys(inputs):
            positions = tuple(position for position, one in enumerate(inputs) if one == source)
            self.graph.add_edge(source, number, positions=positions)
        return number

    def op(self, place: str, layer: type, settings: Mapping[str, Any], inputs: tuple[int, ...]) -> int:
        if getattr(layer, "training_only", False):
            return inputs[0]
        return self.put(label(layer, settings), getattr(layer, "kind", "other"), inputs, place, settings)

    def add(self, place: str, values: Sequence[int]) -> int:
        return self.put("+", "add", values, place)

    def concat(self, place: str, values: Sequence[int]) -> int:
        return self.put("concat", "concat", values, place)

    def mix(self, name: str, choice: Choice, on: Mapping[str, tuple[Any, int]]) -> int:
        values = [value for _, value in on.values()]
        return values[0] if len(values) == 1 else self.put("+", "add", values)
