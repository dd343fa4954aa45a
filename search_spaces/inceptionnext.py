"""InceptionNeXt (Yu et al., CVPR 2024, https://arxiv.org/abs/2303.16900): large kernels taken apart, for few channels.

Four stages of MetaNeXt blocks: a mixer of depthwise convolutions (3 x 3, 1 x k, k x 1) of a share of the channels each,
batch norm, an MLP, one shortcut. Each block decides on the share, the kernel and the MLP's ratio, each stage on its
width and depth. The published networks are architectures of the same names at other `widths` and `depths`.

Departures: the mixer's channels are dealt to its convolutions in turn (see InceptionDepthwise); a kernel that reaches
further than the stage's map is cut to what the map shows, which changes nothing; paths are dropped at one rate in all
blocks, where the paper raises it from block to block; weights begin as torch's layers do, not from a truncated normal
distribution.
"""

from nasengine.errors import SpaceError
from nasengine.layers import (
    BatchNorm,
    Downsampling,
    DropPath,
    FeedForward,
    GELUClassifier,
    InceptionDepthwise,
    LayerScale,
)
from nasengine.space import Choice, Node, Published, Space, add, chain, choose, network, op, reads, repeat

PARTS = {"eighth": 8, "quarter": 4}  # the share of each convolution -> parts that the channels are dealt to
KERNELS = (7, 9, 11)
STAGES = range(1, 5)


def space(
    input: tuple[int, int, int] = (3, 224, 224),
    classes: int = 1000,
    widths: tuple[int, ...] = (96, 192, 384, 768),
    depths: tuple[int, ...] = (3, 3, 9, 3),
    patch: int = 4,
) -> Space:
    """Four stages; every one but the first begins by halving the map.

    widths: the medium width of each stage; narrow is three quarters of it, wide five quarters, in multiples of 8
    depths: the medium number of blocks of each stage; shallow is one less (where any are left), deep one more
    patch: side in pixels of what becomes one position of the first stage; 4 in the paper, 1 or 2 for small images
    """
    _refuse(input, widths, depths, patch)
    stages: dict[str, Node] = {}
    side = max(input[1:])
    for number, width, depth in zip(STAGES, widths, depths, strict=True):
        shrink = {"kernel": patch, "stride": patch} if number == 1 else {"kernel": 2, "stride": 2}
        side //= shrink["stride"]
        conv = op(Downsampling, width=_width(width), padding=0, norm="none", **shrink)
        norm = op(BatchNorm)
        down = chain(conv=conv, norm=norm) if number == 1 else chain(norm=norm, conv=conv)
        stages[f"stage{number}"] = chain(down=down, blocks=repeat(_block(2 * side - 1), _depth(depth)))
    return Space(
        "inceptionnext", input=input, network=chain(**stages, head=op(GELUClassifier, classes=classes, ratio=3))
    )


def _refuse(input: tuple[int, int, int], widths: tuple[int, ...], depths: tuple[int, ...], patch: int) -> None:
    faults = []
    if len(widths) != len(STAGES) or len(depths) != len(STAGES):
        faults.append(f"widths={widths}, depths={depths} came; give four of each, one for every stage")
    if any(width < 8 or width % 8 for width in widths) or min(depths, default=1) < 1:
        faults.append(f"widths={widths}, depths={depths} came; widths are multiples of 8, depths at least 1")
    if patch < 1:
        faults.append(f"patch={patch} came; it is a number of pixels, at least 1")
    elif min(input[1:]) < 8 * patch:
        faults.append(
            f"images of {input} came; patches of {patch} and three halvings divide them by {8 * patch}: give a smaller "
            f"patch, or images of at least {8 * patch} by {8 * patch}"
        )
    if faults:
        raise SpaceError("; ".join(f"space inceptionnext: {fault}" for fault in faults))


def _width(medium: int) -> Choice:
    narrow, wide = (max(8, int(medium * factor / 8 + 0.5) * 8) for factor in (0.75, 1.25))
    options = {"narrow": min(narrow, medium - 8), "medium": medium, "wide": max(wide, medium + 8)}
    return choose("width", **{name: width for name, width in options.items() if width > 0})


def _depth(medium: int) -> Choice:
    options = {"shallow": medium - 1, "medium": medium, "deep": medium + 1}
    return choose("depth", **{name: depth for name, depth in options.items() if depth > 0})


def _block(most: int) -> Node:
    """One shortcut around mixer and MLP; `most` is the largest kernel that sees more than the next smaller one."""
    kernel = choose("kernel", **{str(side): min(side, most) for side in KERNELS})
    mixers = {name: op(InceptionDepthwise, kernel=kernel, parts=parts) for name, parts in PARTS.items()}
    return network(
        mixer=choose("share", **mixers),
        norm=op(BatchNorm),
        mlp=op(FeedForward, ratio=choose("ratio", 2, 3, 4)),
        scale=op(LayerScale, start=1e-6),
        drop=op(DropPath),
        out=reads("input", "drop", add()),
    )


def picks(depths: tuple[int, ...], share: str = "eighth", kernel: int = 11) -> dict[str, tuple[str, ...]]:
    """The picks of a published network: medium sizes, one mixer, MLPs of ratio 4, in the last stage 3."""
    made: dict[str, tuple[str, ...]] = {}
    for number, depth in zip(STAGES, depths, strict=True):
        stage = f"stage{number}"
        made |= {f"{stage}.down.conv.width": ("medium",), f"{stage}.blocks.depth": ("medium",)}
        for block in range(depth):
            made[f"{stage}.blocks.{block}.mixer.share"] = (share,)
            made[f"{stage}.blocks.{block}.mixer.{share}.kernel"] = (str(kernel),)
            made[f"{stage}.blocks.{block}.mlp.ratio"] = ("3" if number == 4 else "4",)
    return made


def _published(
    widths: tuple[int, ...], depths: tuple[int, ...], side: int = 224, share: str = "eighth", kernel: int = 11
) -> Published:
    settings = {"input": (3, side, side), "classes": 1000, "widths": widths, "depths": depths}
    return Published(picks(depths, share, kernel), settings, f"{side} pixels, https://arxiv.org/abs/2303.16900")


SMALL, BASE = (96, 192, 384, 768), (128, 256, 512, 1024)
ARCHITECTURES = {
    "inceptionnext-a": _published((40, 80, 160, 320), (2, 2, 6, 2), share="quarter", kernel=9),
    "inceptionnext-t": _published(SMALL, (3, 3, 9, 3)),
    "inceptionnext-s": _published(SMALL, (3, 3, 27, 3)),
    "inceptionnext-b": _published(BASE, (3, 3, 27, 3)),
    "inceptionnext-b-384": _published(BASE, (3, 3, 27, 3), side=384),
}
