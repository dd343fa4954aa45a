"""One network to look at in a terminal: a line for each state, or for each different block of a stage."""

from collections import Counter

from nasengine.interpreters.cells import cells
from nasengine.interpreters.figure import Figure, Vertex, figures
from nasengine.interpreters.stages import Block, Stage, stages
from nasengine.space import Architecture, Space

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
