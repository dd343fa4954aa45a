"""The cells of a space, and one of them as a picture: inputs left, states and operations, the output right."""

import html
from collections import Counter

from nasengine.interpreters.figure import Figure, Vertex, figures, shared_pieces
from nasengine.interpreters.paint import QUIET, fill, line
from nasengine.space import Architecture, Choice, Node, Op, Space
from nasengine.space.nodes import Aside, Conditional, Graph, Read, Repeat, Shared

JOINS = ("add", "concat")


def cells(network: Node) -> dict[Node, str]:
    """The cells of a network, each with the name of the shared piece that it stands in, or "".

    A cell is a graph in which one value is made of two or more edges that are decided upon.
    """
    found: dict[Node, str] = {}
    names = shared_pieces(network)

    def look(node: Node, name: str) -> None:
        match node:
            case Graph() if _is_cell(node):
                found[node] = name
            case Graph(steps=steps):
                for step in steps:
                    look(step.node, name)
            case Shared(name=own, node=inside):
                look(inside, own if own in names else name)
            case Choice(options=options) if node.of_nodes:
                for option in options:
                    look(option.node, name)
            case Repeat(body=inside) | Read(node=inside) | Aside(node=inside) | Conditional(node=inside):
                look(inside, name)

    look(network, "")
    return found


def _is_cell(graph: Graph) -> bool:
    if any(isinstance(step.node, Choice) and step.node.of_nodes and step.node.keep[1] > 1 for step in graph.steps):
        return True
    decided = [_is_edge(step.node) for step in graph.steps]
    read = [[number + one for one in step.reads or () if one < 0] for number, step in enumerate(graph.steps)]
    ends = [len(decided) + one for one in graph.outputs if one < 0]
    return any(sum(decided[one] for one in together if one >= 0) > 1 for together in (*read, ends))


def _is_edge(node: Node) -> bool:
    """Whether a node is a choice between layers, with nothing but layers around it."""
    match node:
        case Choice():
            return node.of_nodes
        case Read(node=inside):
            return _is_edge(inside)
        case Graph(steps=steps):
            nodes = [step.node for step in steps]
            return any(map(_is_edge, nodes)) and all(isinstance(one, Op) or _is_edge(one) for one in nodes)
    return False


def cell_figures(space: Space, architecture: Architecture, found: dict[Node, str]) -> list[Figure]:
    """The figures of these cells, each as it is where it was first met."""
    names = set(found.values())
    made = figures(space, architecture, [node for node, name in found.items() if not name])[1:]
    return [one for one in made if one.name in names or one.places[0] in ("", one.name)]


def statements(figure: Figure, prefix: str) -> list[str]:
    """A cell in dot's language: states as ovals, what was picked as boxes, one after the other."""
    drawn = _Cell(figure, prefix)
    for number, vertex in enumerate(figure.vertices):
        drawn.put(number, vertex)
    if figure.output is not None:
        drawn.end(figure.output)
    return drawn.lines


class _Cell:
    """The statements of a cell, and for each value the nodes that it comes from."""

    def __init__(self, figure: Figure, prefix: str):
        self.figure, self.prefix = figure, prefix
        self.lines: list[str] = []
        self.uses = Counter(number for vertex in figure.vertices for number in vertex.inputs)
        self.sources: dict[int, tuple[str, ...]] = {}

    def put(self, number: int, vertex: Vertex) -> None:
        """One vertex: an oval, a box, or nothing where it only hands on."""
        arriving = tuple(dict.fromkeys(one for x in vertex.inputs for one in self.sources[x]))
        alone = self.uses[number] == 1 and number != self.figure.output
        reader = next((one for one in self.figure.vertices if number in one.inputs), None)
        if vertex.kind == "input":
            prepared = alone and reader is not None and _is_fixed(reader) and len(reader.inputs) == 1
            self.sources[number] = () if prepared else (self.oval(number, vertex.name or vertex.label),)
        elif vertex.kind == "add" and alone and reader is not None and _is_in(vertex, reader):
            self.sources[number] = arriving  # the operation's box stands for the sum, too
        elif vertex.kind in JOINS or (vertex.picked and len(vertex.inputs) > 1):
            self.sources[number] = self.joined(number, vertex, arriving)
        elif not arriving:
            self.sources[number] = (self.oval(number, _last(vertex.name), _bare(vertex.label)),)
        elif vertex.present or (vertex.kind == "skip" and not vertex.picked):
            self.sources[number] = arriving
        else:
            self.sources[number] = self.box(number, vertex, arriving)

    def joined(self, number: int, vertex: Vertex, arriving: tuple[str, ...]) -> tuple[str, ...]:
        """A sum or a concatenation."""
        words = {"add": ""}.get(vertex.label if vertex.picked else vertex.kind, vertex.label)
        name = "output" if number == self.figure.output else _last(vertex.name)
        return (self.oval(number, name, words, arriving),)

    def box(self, number: int, vertex: Vertex, arriving: tuple[str, ...]) -> tuple[str, ...]:
        """A layer, and the state that it is where several read it."""
        kind = vertex.kind if vertex.picked else "other"
        node = self.node(number, label_words(*_halves(vertex.label)), kind, "box", arriving)
        if vertex.joined and self.uses[number] > 1:
            return (self.oval(f"{number}s", _last(vertex.joined), "", (node,)),)
        return (node,)

    def oval(self, number: int | str, name: str, words: str = "", arriving: tuple[str, ...] = ()) -> str:
        """A state."""
        return self.node(number, label_words(name, words), "", "oval", arriving)

    def end(self, number: int) -> None:
        """The output, unless the last vertex is drawn as it."""
        if self.figure.vertices[number].kind not in JOINS:
            self.oval("end", "output", "", self.sources[number])

    def node(self, number: int | str, words: str, kind: str, shape: str, arriving: tuple[str, ...]) -> str:
        """A node and the edges that lead to it."""
        name = f"{self.prefix}{number}"
        looks = f'shape={shape}, color="{line(kind)}", fillcolor="{fill(kind)}"' if kind else "shape=oval, style=solid"
        dashes = ', style="rounded,filled,dashed"' if kind == "zero" else ""
        self.lines.append(f"{name} [label={words}, {looks}{dashes}];")
        self.lines += [f"{one} -> {name};" for one in arriving]
        return name


def _is_fixed(vertex: Vertex) -> bool:
    return not vertex.picked and vertex.kind not in (*JOINS, "shared", "input")


def _is_in(join: Vertex, reader: Vertex) -> bool:
    """Whether a sum is made in the step that reads it, for a layer there."""
    return reader.kind not in JOINS and "." in join.name and join.name.rpartition(".")[0] == reader.name


def _last(name: str) -> str:
    """The last word of a place that is not a number."""
    return next((part for part in reversed(name.split(".")) if not part.isdigit()), "")


def _bare(label: str) -> str:
    return label.partition("[")[0]


def _halves(label: str) -> tuple[str, str]:
    """A layer and its settings; the width is left out, for it differs from place to place."""
    name, _, rest = label.partition("[")
    settings = [one for one in rest.rstrip("]").split(", ") if one and not one.startswith("width=")]
    return name, ", ".join(settings).replace("=", " ")


def label_words(name: str, more: str = "") -> str:
    """A label of dot in one or two lines, the second one small."""
    small = f'<BR/><FONT POINT-SIZE="8" COLOR="{QUIET}">{html.escape(more)}</FONT>' if more else ""
    return f"<{html.escape(name)}{small}>"
