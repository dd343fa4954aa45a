"""One network to look at: as lines of text for a terminal, and as a figure for Graphviz."""

import json
from collections import Counter

from nasengine.interpreters.cells import cells
from nasengine.interpreters.figure import Figure, Vertex, figures
from nasengine.interpreters.stages import Block, Stage, stages
from nasengine.space import Architecture, Space

COLOURS = {
    "conv": "#c6dbef", "attention": "#dadaeb", "mlp": "#d9f0d3", "pool": "#fdd0a2", "skip": "#f0f0f0",
    "zero": "#fcbba1", "norm": "#fff7bc", "head": "#e0ecf4", "shared": "#9ecae1",
}  # fmt: skip
SHOWN = 4  # places of a shared piece that are named


def text(space: Space, architecture: Architecture) -> str:
    """A line for each state, `node0 = sep_conv_3x3(in0) + skip_connect(in1)`; shared pieces once, below the network."""
    return "\n".join("\n".join([_title(figure), *_lines(figure)]) for figure in figures(space, architecture))


def outline(space: Space, architecture: Architecture) -> str:
    """The lines of `text` where there are cells; any other network as its stages, a line for each different block."""
    if cells(space.network):
        return text(space, architecture)
    lines = [f"{space.name}, input {Stage('input', space.input, (), 0).shape_words}"]
    for stage in stages(space, architecture, {}):
        lines.append(f"{stage.name}: {', '.join([stage.shape_words, f'{stage.params:,} parameters', *stage.norms])}")
        lines += [f"  {block.times:4}x  {_in_block(block)}" for block in stage.blocks]
    return "\n".join(lines)


def _in_block(block: Block) -> str:
    return " | ".join(", ".join(" ".join(filter(None, words)) for words in part.lines) for part in block.parts)


def _title(figure: Figure) -> str:
    if not figure.places:
        return figure.name
    more = ", …" if len(figure.places) > SHOWN else ""
    return f"{figure.name}, {len(figure.places)}x: {', '.join(figure.places[:SHOWN])}{more}"


def _lines(figure: Figure) -> list[str]:
    states = _states(figure)
    width = max(map(len, states.values()), default=0)
    lines = []
    for number, name in states.items():
        vertex = figure.vertices[number]
        if vertex.kind != "input":
            lines.append(f"  {name:<{width}} = {_expression(figure, vertex, states)}")
    if figure.output is None:
        lines.append("  output = nothing")
    elif figure.vertices[figure.output].kind == "input":
        lines.append(f"  output = {states[figure.output]}")
    return lines


def _states(figure: Figure) -> dict[int, str]:
    """The vertices that have a line and a name: steps, joins, and what is read more than once."""
    uses = Counter(number for vertex in figure.vertices for number in vertex.inputs)
    states = {}
    for number, vertex in enumerate(figure.vertices):
        if number == figure.output and vertex.kind != "input":
            states[number] = "output"
        elif "." not in vertex.name or uses[number] > 1 or len(vertex.inputs) > 1 or vertex.kind == "shared":
            states[number] = vertex.name
    return states


def _expression(figure: Figure, vertex: Vertex, states: dict[int, str]) -> str:
    parts = [
        states[number] if number in states else _expression(figure, figure.vertices[number], states)
        for number in vertex.inputs
    ]
    return " + ".join(parts) if vertex.kind == "add" else f"{vertex.label}({', '.join(parts)})"


def dot(space: Space, architecture: Architecture) -> str:
    """A Graphviz figure: the network, and beside it every shared piece once."""
    lines = [
        f"digraph {_quoted(space.name)} {{",
        '  rankdir=TB; nodesep=0.25; ranksep=0.3; fontname="Helvetica";',
        '  node [shape=box, style="rounded,filled", fontname="Helvetica", fontsize=11, height=0.3];',
        "  edge [arrowsize=0.6];",
    ]
    for index, figure in enumerate(figures(space, architecture)):
        lines += [f"  subgraph cluster_{index} {{", f"    label={_quoted(_title(figure))}; color=grey;"]
        lines += [f"    {line}" for line in _drawn(figure, f"f{index}_")]
        lines.append("  }")
    return "\n".join([*lines, "}", ""])


def _drawn(figure: Figure, prefix: str) -> list[str]:
    """Vertices and edges of one figure."""
    states = _states(figure)
    lines = []
    for number, vertex in enumerate(figure.vertices):
        name = states.get(number, "")
        join = vertex.kind in ("add", "concat")
        shown = vertex.label
        if join and "." not in name:
            shown = name if vertex.kind == "add" else f"{name}: concat"
        shape = ", shape=ellipse" if join or vertex.kind == "input" else ""
        colour = COLOURS.get(vertex.kind, "#ffffff")
        lines.append(f'{prefix}{number} [label={_quoted(shown)}, fillcolor="{colour}"{shape}];')
        lines += [f"{prefix}{source} -> {prefix}{number};" for source in vertex.inputs]
    return lines


def _quoted(words: str) -> str:
    return json.dumps(words, ensure_ascii=False)
