"""NAS-Bench-201 (Dong and Yang, 2020, https://arxiv.org/abs/2001.00326): one cell of four nodes and six edges.

The 15,625 cells are those of the published tables; `none`, the missing edge, is an operation like the others.
"""

from collections.abc import Mapping

from nasengine.errors import SpaceError, did_you_mean
from nasengine.layers import AvgPool, Classifier, ConvNorm, Identity, ReLUConvNorm, ResidualReduction, Zero
from nasengine.space import Architecture, Choice, Node, Space, add, chain, choose, network, op, reads, repeat, shared

SUPERNET = {"affine": False}
OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))  # (source, target), in the order of the published strings


def space(
    input: tuple[int, int, int] = (3, 32, 32),
    classes: int = 10,
    channels: int = 16,
    cells: int = 5,
    affine: bool = True,
    track: bool = True,
) -> Space:
    """Three stages of equal cells, residual reductions between them.

    channels: width of the first stage, doubled twice
    cells: cells in each stage
    affine: whether the norms in the cells learn a scale and a shift
    track: whether the norms in the cells keep running statistics; without, evaluation uses the batch's
    """
    if channels < 1 or cells < 1:
        raise SpaceError(f"space nasbench201: channels={channels}, cells={cells} came; each is at least 1")

    def stage(width: int) -> Node:
        return repeat(shared("cell", _cell(width, affine, track)), cells)

    return Space(
        "nasbench201",
        input=input,
        network=chain(
            stem=op(ConvNorm, width=channels, kernel=3),
            stage1=stage(channels),
            reduction1=op(ResidualReduction, width=2 * channels),
            stage2=stage(2 * channels),
            reduction2=op(ResidualReduction, width=4 * channels),
            stage3=stage(4 * channels),
            head=op(Classifier, classes=classes, norm=True),
        ),
    )


def _cell(width: int, affine: bool, track: bool) -> Node:
    """Node 0 is the input; every later node adds what its edges bring from all before it."""
    names = ("input", "node1", "node2", "node3")
    steps: dict[str, Node] = {}
    for target in (1, 2, 3):
        arriving = [_step(source, target) for source in range(target)]
        for source, name in enumerate(arriving):
            steps[name] = reads(names[source], _operations(width, affine, track))
        steps[names[target]] = reads(*arriving, add())
    return network(**steps)


def _operations(width: int, affine: bool, track: bool) -> Choice:
    norm = {"affine": affine, "track": track}
    return choose(
        "op",
        none=op(Zero),
        skip_connect=op(Identity),
        nor_conv_1x1=op(ReLUConvNorm, width=width, kernel=1, **norm),
        nor_conv_3x3=op(ReLUConvNorm, width=width, kernel=3, **norm),
        avg_pool_3x3=op(AvgPool, kernel=3),
    )


def _step(source: int, target: int) -> str:
    return f"edge_{source}_{target}"


def decision(source: int, target: int) -> str:
    """The decision that picks an edge's operation."""
    return f"cell.{_step(source, target)}.op"


def to_string(architecture: Architecture) -> str:
    """The published spelling, `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`: per node the operations from the nodes before."""
    groups = [
        "|" + "".join(f"{architecture.picks[decision(source, target)][0]}~{source}|" for source in range(target))
        for target in (1, 2, 3)
    ]
    return "+".join(groups)


def from_string(text: str) -> Architecture:
    """The architecture of a published string; raises SpaceError with every fault in it."""
    groups = [group.strip("|").split("|") for group in text.strip().split("+")]
    found = [tuple(part.partition("~")[::2]) for group in groups for part in group]
    expected = [str(source) for source, _ in EDGES]
    faults = [
        f'"{name}" is no operation; allowed: {", ".join(OPERATIONS)}.{did_you_mean(name, OPERATIONS)}'
        for name, _ in found
        if name not in OPERATIONS
    ]
    if [len(group) for group in groups] != [1, 2, 3] or [source for _, source in found] != expected:
        faults.append("the nodes and sources are not those of |op~0|+|op~0|op~1|+|op~0|op~1|op~2|")
    if faults:
        raise SpaceError(f"NAS-Bench-201 cell {text!r}: " + "; ".join(faults))
    return Architecture(_picks({edge: name for edge, (name, _) in zip(EDGES, found, strict=True)}))


def _picks(operations: Mapping[tuple[int, int], str]) -> dict[str, tuple[str, ...]]:
    return {decision(*edge): (operations[edge],) for edge in EDGES}
