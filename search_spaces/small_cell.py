"""Small cell: one cell of four nodes and five edges in two stages, 1,024 networks that train in a fraction of a second.

The space of the table "digits" that comes with the package: a small relative of NAS-Bench-201 (Dong and Yang, 2020,
https://arxiv.org/abs/2001.00326) for images of 8 by 8 pixels. The edge from input to output is left out, and so is
skip_connect, with which most cells equal others; 582 of the 1,024 differ. `none` is the missing edge.
"""

from nasengine.errors import SpaceError, did_you_mean
from nasengine.layers import AvgPool, Classifier, ConvNorm, MaxPool, ReLUConvNorm, Zero
from nasengine.space import Architecture, Choice, Node, Space, add, chain, choose, network, op, reads, shared

SUPERNET = {"affine": False}
OPERATIONS = ("none", "conv_1x1", "conv_3x3", "max_pool_3x3")
SOURCES = {1: (0,), 2: (0, 1), 3: (1, 2)}  # node: the nodes that it adds up
EDGES = tuple((source, target) for target, sources in SOURCES.items() for source in sources)


def space(
    input: tuple[int, int, int] = (1, 8, 8),
    classes: int = 10,
    channels: int = 8,
    affine: bool = True,
    track: bool = True,
) -> Space:
    """A stem, the cell, a reduction by average pooling, the same cell at twice the width, and a classifier.

    channels: width of the first stage, doubled for the second
    affine: whether the norms in the cells learn a scale and a shift
    track: whether the norms in the cells keep running statistics; without, evaluation uses the batch's
    """
    if channels < 1:
        raise SpaceError(f"space small_cell: channels={channels} came; it is at least 1")
    return Space(
        "small_cell",
        input=input,
        network=chain(
            stem=op(ConvNorm, width=channels, kernel=3),
            stage1=shared("cell", _cell(channels, affine, track)),
            pool=op(AvgPool, kernel=3, stride=2),
            widen=op(ConvNorm, width=2 * channels),
            stage2=shared("cell", _cell(2 * channels, affine, track)),
            head=op(Classifier, classes=classes, norm=True),
        ),
    )


def _cell(width: int, affine: bool, track: bool) -> Node:
    """Node 0 is the input; every later node adds what its edges bring."""
    names = ("input", "node1", "node2", "node3")
    steps: dict[str, Node] = {}
    for target, sources in SOURCES.items():
        arriving = [_step(source, target) for source in sources]
        for source, name in zip(sources, arriving, strict=True):
            steps[name] = reads(names[source], _operations(width, affine, track))
        steps[names[target]] = reads(*arriving, add())
    return network(**steps)


def _operations(width: int, affine: bool, track: bool) -> Choice:
    norm = {"affine": affine, "track": track}
    return choose(
        "op",
        none=op(Zero),
        conv_1x1=op(ReLUConvNorm, width=width, kernel=1, **norm),
        conv_3x3=op(ReLUConvNorm, width=width, kernel=3, **norm),
        max_pool_3x3=op(MaxPool, kernel=3),
    )


def _step(source: int, target: int) -> str:
    return f"edge_{source}_{target}"


def decision(source: int, target: int) -> str:
    """The decision that picks an edge's operation."""
    return f"cell.{_step(source, target)}.op"


def to_string(architecture: Architecture) -> str:
    """The cell on one line, `|op~0|+|op~0|op~1|+|op~1|op~2|`: per node the operations from the nodes before."""
    groups = [
        "|" + "".join(f"{architecture.picks[decision(source, target)][0]}~{source}|" for source in sources)
        for target, sources in SOURCES.items()
    ]
    return "+".join(groups)


def from_string(text: str) -> Architecture:
    """The architecture that `to_string` wrote; raises SpaceError with every fault in it."""
    groups = [group.strip("|").split("|") for group in text.strip().split("+")]
    found = [tuple(part.partition("~")[::2]) for group in groups for part in group]
    faults = [
        f'"{name}" is no operation; allowed: {", ".join(OPERATIONS)}.{did_you_mean(name, OPERATIONS)}'
        for name, _ in found
        if name not in OPERATIONS
    ]
    spelled = [len(group) for group in groups], [source for _, source in found]
    if spelled != ([1, 2, 2], [str(source) for source, _ in EDGES]):
        faults.append("the nodes and sources are not those of |op~0|+|op~0|op~1|+|op~1|op~2|")
    if faults:
        raise SpaceError(f"small cell {text!r}: " + "; ".join(faults))
    return Architecture({decision(*edge): (name,) for edge, (name, _) in zip(EDGES, found, strict=True)})
