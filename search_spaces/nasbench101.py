"""NAS-Bench-101 (Ying et al., 2019, https://arxiv.org/abs/1902.09635): one cell, any small graph of three operations.

A cell has up to seven vertices, input and output included, and nine edges; both count after vertices that are not on
a way from the input to the output are left out, as in the published code. So cells of fewer vertices are in it too.
The published tables hold 423,624 cells that differ.

Departures from the published code: batch norm keeps its running statistics as torch does (momentum 0.1, not 0.003),
and weights start as torch's do.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import md5
from typing import NamedTuple

from nasengine.errors import SpaceError
from nasengine.layers import Classifier, ConvNormReLU, MaxPool, Truncate
from nasengine.space import (
    Architecture,
    Choice,
    Node,
    Space,
    add,
    chain,
    choose,
    concat,
    derived,
    network,
    nothing,
    op,
    reads,
    repeat,
    shared,
)

OPERATIONS = ("conv3x3", "conv1x1", "maxpool3x3")  # in the order of the published labels 0, 1, 2
VERTICES = 7


class Cell(NamedTuple):
    """A graph: for each vertex but the output the bits of those it leads to, for each interior vertex its label."""

    targets: tuple[int, ...]
    labels: tuple[int, ...]

    @property
    def edges(self) -> int:
        """How many there are."""
        return sum(map(int.bit_count, self.targets))


def space(
    input: tuple[int, int, int] = (3, 32, 32),
    classes: int = 10,
    channels: int = 128,
    cells: int = 3,
    vertices: int = VERTICES,
    edges: int = 9,
) -> Space:
    """Three stages of equal cells; pooling halves the size between them, and the width doubles.

    channels: width of the first stage
    cells: cells in each stage
    vertices: most vertices in a cell, input and output included
    edges: most edges in a cell
    """
    faults = [f"{name}={value} (at least 1)" for name, value in (("cells", cells), ("edges", edges)) if value < 1]
    if not 3 <= vertices <= VERTICES:
        faults.append(f"vertices={vertices} (3 to {VERTICES})")
    if channels < vertices - 2:
        faults.append(f"channels={channels} (at least one for each interior vertex, {vertices - 2})")
    if faults:
        raise SpaceError(f"space nasbench101: came with {', '.join(faults)}; change them as the brackets say")

    def stage(width: int) -> Node:
        return repeat(shared("cell", _cell(width, vertices)), cells)

    return Space(
        "nasbench101",
        input=input,
        network=chain(
            stem=op(ConvNormReLU, width=channels, kernel=3),
            stage1=stage(channels),
            pool1=op(MaxPool, kernel=2, stride=2),
            stage2=stage(2 * channels),
            pool2=op(MaxPool, kernel=2, stride=2),
            stage3=stage(4 * channels),
            head=op(Classifier, classes=classes),
        ),
        where=_condition(vertices, edges),
    )


def _cell(width: int, vertices: int) -> Node:
    """Every vertex adds what reaches it; those that lead to the output are concatenated, the input is added to that."""
    last = vertices - 1
    steps: dict[str, Node] = {_step(0, t): reads("input", _edge(0, t, width, vertices)) for t in range(1, vertices)}
    for vertex in range(1, last):
        arriving = [_step(source, vertex) for source in range(vertex)]
        steps[f"vertex{vertex}"] = reads(*arriving, chain(add(), _operations(vertex, width, vertices)))
        for target in range(vertex + 1, vertices):
            steps[_step(vertex, target)] = reads(f"vertex{vertex}", _edge(vertex, target, width, vertices))
    steps["interior"] = reads(*[_step(vertex, last) for vertex in range(1, last)], concat())
    steps["output"] = reads("interior", _step(0, last), add())
    return network(**steps)


def _edge(source: int, target: int, width: int, vertices: int) -> Choice:
    """From the cell's input a projection; from other vertices their first channels, as many as the target has."""
    layer, last = Truncate if source else ConvNormReLU, target == vertices - 1
    wide = width if last and not source else _width(source if last else target, width, vertices, share=last)
    return choose("kept", no=nothing(), yes=op(layer, width=wide))


def _operations(vertex: int, width: int, vertices: int) -> Choice:
    wide = _width(vertex, width, vertices)
    return choose(
        "op",
        conv3x3=op(ConvNormReLU, width=wide, kernel=3),
        conv1x1=op(ConvNormReLU, width=wide, kernel=1),
        maxpool3x3=op(MaxPool, kernel=3),
    )


def _width(vertex: int, width: int, vertices: int, share: bool = False) -> object:
    """The width of a vertex, as the edges that are kept say.

    A supernet, in which edges are kept and not kept at once, holds each vertex as wide as the output, the widest that
    any cell has it; its `share` of the output is always what is left to it beside the others that lead there.
    """

    def chosen(*kept: tuple[str, ...]) -> int:
        if not share and any(len(options) > 1 for options in kept):
            return width
        return _widths(width, vertices, kept)[vertex]

    names = [f"{_step(source, target)}.kept" for source, target in _pairs(vertices)]
    return derived(chosen, *names)


@lru_cache(maxsize=4096)
def _widths(width: int, vertices: int, kept: tuple[tuple[str, ...], ...]) -> tuple[int, ...]:
    """By vertex; zero for those that are not on a way from the input to the output."""
    targets = [0] * (vertices - 1)
    for (source, target), options in zip(_pairs(vertices), kept, strict=True):
        targets[source] |= ("yes" in options) << target
    return widths(_live(targets), width)


def widths(targets: Sequence[int], width: int) -> tuple[int, ...]:
    """The width of each vertex of a pruned cell whose output has `width`; the input's and dead ones' come as zero.

    The vertices that lead to the output share its width, the first ones take the remainder; any other is as wide as
    the widest that it leads to.
    """
    last = len(targets)
    sharing = [vertex for vertex in range(1, last) if targets[vertex] >> last & 1]
    found = [0] * last
    for place, vertex in enumerate(sharing):
        found[vertex] = width // len(sharing) + (place < width % len(sharing))
    for vertex in range(last - 1, 0, -1):
        if vertex not in sharing:
            found[vertex] = max((found[t] for t in range(vertex + 1, last) if targets[vertex] >> t & 1), default=0)
    return tuple(found)


def _live(targets: Sequence[int]) -> list[int]:
    """The same edges without those that are on no way from the input to the output."""
    last = len(targets)
    reached, leading = 1, 1 << last
    for vertex in range(last):
        if reached >> vertex & 1:
            reached |= targets[vertex]
    for vertex in range(last - 1, -1, -1):
        if targets[vertex] & leading:
            leading |= 1 << vertex
    live = reached & leading
    return [targets[vertex] & live if live >> vertex & 1 else 0 for vertex in range(last)]


def _condition(vertices: int, edges: int) -> Callable[[Architecture], bool]:
    names = _names(vertices)

    def where(architecture: Architecture) -> bool:
        return 0 < sum(map(int.bit_count, _live(_targets(architecture, names)))) <= edges

    where.__doc__ = (
        f"a way of kept edges leads from the input to the output (vertex {vertices - 1}), and at most {edges} edges "
        "are kept on such ways"
    )
    return where


def _step(source: int, target: int) -> str:
    return f"edge_{source}_{target}"


def decision(source: int, target: int) -> str:
    """The decision whether there is an edge."""
    return f"cell.{_step(source, target)}.kept"


def operation(vertex: int) -> str:
    """The decision what an interior vertex does."""
    return f"cell.vertex{vertex}.op"


@lru_cache(maxsize=8)
def _pairs(vertices: int) -> tuple[tuple[int, int], ...]:
    """Possible edges in the order of the published matrices, row by row."""
    return tuple((source, target) for source in range(vertices) for target in range(source + 1, vertices))


@lru_cache(maxsize=8)
def _names(vertices: int) -> tuple[tuple[tuple[str, int], ...], ...]:
    """By source the decisions about its edges, each with the bit of its target."""
    return tuple(
        tuple((decision(source, target), 1 << target) for target in range(source + 1, vertices))
        for source in range(vertices - 1)
    )


def _targets(architecture: Architecture, names: tuple[tuple[tuple[str, int], ...], ...]) -> list[int]:
    picks = architecture.picks
    return [sum([bit for name, bit in row if picks[name][0] == "yes"]) for row in names]


_DECISIONS = {vertices * (vertices - 1) // 2 + vertices - 2: vertices for vertices in range(3, VERTICES + 1)}


def cell_of(architecture: Architecture) -> Cell:
    """The pruned graph of an architecture, its vertices numbered anew."""
    vertices = _DECISIONS[len(architecture.picks)]
    targets = _live(_targets(architecture, _names(vertices)))
    kept = [vertex for vertex in range(1, vertices - 1) if targets[vertex]]
    if len(kept) < vertices - 2:
        new = {vertex: number for number, vertex in enumerate([0, *kept, vertices - 1])}
        targets = [
            sum([1 << number for vertex, number in new.items() if targets[old] >> vertex & 1]) for old in (0, *kept)
        ]
    return Cell(tuple(targets), tuple([OPERATIONS.index(architecture.picks[operation(v)][0]) for v in kept]))


def to_string(architecture: Architecture) -> str:
    """The published hash of a cell: 32 hexadecimal digits, the same for all spellings of one graph."""
    return _hash(cell_of(architecture))


@lru_cache(maxsize=1 << 16)
def _hash(cell: Cell) -> str:
    """Each vertex starts as its numbers of edges and its label, and takes in its neighbours, once for each vertex."""
    last = len(cell.targets)
    out = [[target for target in range(last + 1) if bits >> target & 1] for bits in cell.targets] + [[]]
    into = [[source for source in range(last) if cell.targets[source] >> vertex & 1] for vertex in range(last + 1)]
    labels = (-1, *cell.labels, -2)
    hashes = [_md5(str((len(out[v]), len(into[v]), labels[v]))) for v in range(last + 1)]
    for _ in hashes:
        hashes = [
            _md5(f"{''.join(sorted([hashes[w] for w in i]))}|{''.join(sorted([hashes[w] for w in o]))}|{own}")
            for i, o, own in zip(into, out, hashes, strict=True)
        ]
    return _md5(str(sorted(hashes)))


def _md5(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()


def from_cell(adjacency: str, operations: str, vertices: int = VERTICES) -> Architecture:
    """The architecture of a graph that is written in digits, in a space of `vertices`.

    `adjacency` is the upper triangle of the matrix, row by row, in 0 and 1; `operations` is a digit for each interior
    vertex: 0 conv3x3, 1 conv1x1, 2 maxpool3x3. Raises SpaceError with every fault in it.
    """
    size = len(operations) + 2
    faults = [] if size <= vertices else [f"{size} vertices; at most {vertices}"]
    if len(adjacency) != size * (size - 1) // 2 or not set(adjacency) <= set("01"):
        faults.append(f"an adjacency of {len(adjacency)} signs; give {size * (size - 1) // 2}, each 0 or 1")
    if not set(operations) <= set("012"):
        faults.append("operations that are not 0, 1 or 2")
    if faults:
        raise SpaceError(f"NAS-Bench-101 cell {adjacency!r}, {operations!r}: {'; '.join(faults)}")
    edges = {pair for pair, digit in zip(_pairs(size), adjacency, strict=True) if digit == "1"}
    places = [*range(size - 1), vertices - 1]
    kept = {(places[source], places[target]) for source, target in edges}
    picks = {decision(*pair): ("yes" if pair in kept else "no",) for pair in _pairs(vertices)}
    labels = [int(digit) for digit in operations] + [0] * (vertices - size)
    return Architecture(picks | {operation(v): (OPERATIONS[label],) for v, label in enumerate(labels, start=1)})
