"""UniFormer (Li et al., ICLR 2022, https://arxiv.org/abs/2201.09450): blocks that relate positions near by, or all.

Four stages of blocks of three residual parts: a depthwise convolution for the positions, a mixer, an MLP. A block is
local (batch norm, convolution) or global (layer norm, attention), and decides on the convolution's kernel and the MLP's
ratio; each stage decides on its width and depth. The published networks are local in two stages, global in two.

Departures: paths are dropped at one rate in all blocks, where the paper raises it from block to block; weights begin as
torch's layers do, not from a truncated normal distribution; maps need not be square; a kernel that reaches further than
the stage's map is cut to what the map shows, which changes nothing. The paper gives its networks' sizes as 22 and 50 M,
which is what is tested.
"""

from nasengine.errors import SpaceError
from nasengine.layers import (
    BatchNorm,
    Classifier,
    Downsampling,
    DropPath,
    FeedForward,
    LocalRelation,
    PositionConv,
    SelfAttention,
    TokenNorm,
)
from nasengine.space import Choice, Node, Published, Space, add, chain, choose, network, op, reads, repeat

KERNELS = (3, 5)
STAGES = range(1, 5)


def space(
    input: tuple[int, int, int] = (3, 224, 224),
    classes: int = 1000,
    widths: tuple[int, ...] = (64, 128, 320, 512),
    depths: tuple[int, ...] = (3, 4, 8, 3),
    head: int = 64,
    patch: int = 4,
) -> Space:
    """Four stages; every one but the first begins by halving the map.

    widths: the medium width of each stage; a wide one has half as much again, in whole heads
    depths: the medium number of blocks of each stage; shallow is one less (where any are left), deep one more
    head: channels of a head, which divides the widths
    patch: side in pixels of what becomes one position of the first stage; 4 in the paper, 1 or 2 for small images
    """
    _refuse(input, widths, depths, head, patch)
    stages: dict[str, Node] = {}
    longer = max(input[1:])
    for number, width, depth in zip(STAGES, widths, depths, strict=True):
        side = patch if number == 1 else 2
        longer //= side
        wide = choose("width", medium=width, wide=width + max(1, width // head // 2) * head)
        down = chain(
            conv=op(Downsampling, width=wide, kernel=side, stride=side, padding=0, norm="none"), norm=op(TokenNorm)
        )
        stages[f"stage{number}"] = chain(down=down, blocks=repeat(_block(head, 2 * longer - 1), _depth(depth)))
    last = {"norm": op(BatchNorm), "head": op(Classifier, classes=classes)}
    return Space("uniformer", input=input, network=chain(**stages, **last))


def _refuse(
    input: tuple[int, int, int], widths: tuple[int, ...], depths: tuple[int, ...], head: int, patch: int
) -> None:
    faults = []
    if len(widths) != len(STAGES) or len(depths) != len(STAGES) or min(depths) < 1:
        faults.append(f"widths={widths}, depths={depths} came; give four of each, depths of at least 1")
    if head < 1 or any(width < head or width % head for width in widths):
        faults.append(f"widths={widths} came; heads of {head} channels must divide them, change either")
    if patch < 1:
        faults.append(f"patch={patch} came; it is a number of pixels, at least 1")
    elif min(input[1:]) < 8 * patch:
        faults.append(
            f"images of {input} came; patches of {patch} and three halvings divide them by {8 * patch}: give a smaller "
            f"patch, or images of at least {8 * patch} by {8 * patch}"
        )
    if faults:
        raise SpaceError("; ".join(f"space uniformer: {fault}" for fault in faults))


def _depth(medium: int) -> Choice:
    options = {"shallow": medium - 1, "medium": medium, "deep": medium + 1}
    return choose("depth", **{name: depth for name, depth in options.items() if depth > 0})


def _block(head: int, most: int) -> Choice:
    """A local or a global block; `most` is the largest kernel that sees more than the next smaller one."""
    kernel = choose("kernel", **{str(side): min(side, most) for side in KERNELS})
    local = _parts(BatchNorm, op(LocalRelation, kernel=kernel))
    return choose("relation", **{"local": local, "global": _parts(TokenNorm, op(SelfAttention, head=head))})


def _parts(norm: type, mixer: Node) -> Node:
    return network(
        position=op(PositionConv),
        mixer_norm=op(norm),
        mixer=mixer,
        mixer_drop=op(DropPath),
        mixed=reads("position", "mixer_drop", add()),
        mlp_norm=op(norm),
        mlp=op(FeedForward, ratio=choose("ratio", 2, 3, 4)),
        mlp_drop=op(DropPath),
        out=reads("mixed", "mlp_drop", add()),
    )


def picks(depths: tuple[int, ...]) -> dict[str, tuple[str, ...]]:
    """The picks of a published network: local, local, global, global; medium sizes, kernel 5, MLPs of ratio 4."""
    made: dict[str, tuple[str, ...]] = {}
    for number, depth in zip(STAGES, depths, strict=True):
        stage, relation = f"stage{number}", "local" if number < 3 else "global"
        made |= {f"{stage}.down.conv.width": ("medium",), f"{stage}.blocks.depth": ("medium",)}
        for block in range(depth):
            place = f"{stage}.blocks.{block}"
            made |= {f"{place}.relation": (relation,), f"{place}.{relation}.mlp.ratio": ("4",)}
            if relation == "local":
                made[f"{place}.local.mixer.kernel"] = ("5",)
    return made


ARCHITECTURES = {
    f"uniformer-{name}": Published(
        picks(depths), {"input": (3, 224, 224), "classes": 1000, "depths": depths}, "https://arxiv.org/abs/2201.09450"
    )
    for name, depths in (("s", (3, 4, 8, 3)), ("b", (5, 8, 20, 7)))
}
