"""iFormer (Si et al., NeurIPS 2022, https://arxiv.org/abs/2205.12956): attention and convolution share the channels.

Four stages of transformer blocks whose mixer is attention for some heads of channels (low frequencies), convolution and
pooling for the others (high ones). The channel ramp is how the attending heads grow from block to block: a decision of
each block, as is the MLP's ratio; each stage decides on its width and depth. The published networks differ in settings
only: "medium" is a stage's own number of heads, and its later blocks may have "more".

Departures: see InceptionMixer for the order of channels; position maps and images need not be square; paths are dropped
at one rate in all blocks, where the paper raises it from block to block; weights begin as torch's layers do, not from a
truncated normal distribution.
"""

from nasengine.errors import SpaceError
from nasengine.layers import (
    GELU,
    BatchNorm,
    Classifier,
    Downsampling,
    DropPath,
    FeedForward,
    InceptionMixer,
    LayerScale,
    PositionMap,
    TokenNorm,
)
from nasengine.space import Choice, Node, Published, Space, add, chain, choose, network, op, reads, repeat

STAGES = range(1, 5)
STRIDES = {4: (2, 2), 2: (2, 1), 1: (1, 1)}  # patch -> the strides of the stem's two convolutions


def space(
    input: tuple[int, int, int] = (3, 224, 224),
    classes: int = 1000,
    widths: tuple[int, ...] = (96, 192, 320, 384),
    depths: tuple[int, ...] = (3, 3, 9, 3),
    heads: tuple[int, ...] = (1, 3, 7, 11),
    head: int = 32,
    patch: int = 4,
) -> Space:
    """Four stages; every one but the first begins by halving the map, rounded up.

    widths: the medium width of each stage, a multiple of head; a wide stage convolves a fifth of its heads more
    depths: the medium number of blocks of each stage; shallow is one less (where any are left), deep one more
    heads: heads that attend in each stage, where a block picks "medium"; fewer and more are a fifth of all apart
    head: channels of a head
    patch: pixels, a side, that a position of the first stage stands for: 4 in the paper, 1 or 2 for small images
    """
    _refuse(widths, depths, heads, head, patch)
    size = (input[1], input[2])
    stages: dict[str, Node] = {}
    for number, width, depth, attending in zip(STAGES, widths, depths, heads, strict=True):
        size = _smaller(size, patch if number == 1 else 2)
        step = max(1, width // head // 5)
        wider = choose("width", medium=width, wide=width + step * head)
        stages[f"stage{number}"] = chain(
            down=_stem(width, wider, patch) if number == 1 else _down(wider),
            position=op(PositionMap, size=size),
            blocks=repeat(_block(_mixers(width // head, attending, step, head, number), number > 2), _depth(depth)),
        )
    head_of = {"norm": op(TokenNorm, epsilon=1e-6), "head": op(Classifier, classes=classes)}
    return Space("iformer", input=input, network=chain(**stages, **head_of))


def _refuse(widths: tuple[int, ...], depths: tuple[int, ...], heads: tuple[int, ...], head: int, patch: int) -> None:
    faults = []
    if {len(widths), len(depths), len(heads)} != {len(STAGES)}:
        faults.append(f"widths={widths}, depths={depths}, heads={heads} came; give four of each, one for every stage")
    if min(depths, default=1) < 1:
        faults.append(f"depths={depths} came; each is at least 1")
    if head < 2 or head % 2:
        faults.append(f"head={head} came; a head has an even number of channels")
    elif any(width % head for width in widths):
        faults.append(f"widths={widths} came; heads of {head} channels must divide them, change either")
    elif any(not 0 < attending < width // head for width, attending in zip(widths, heads, strict=False)):
        most = tuple(width // head - 1 for width in widths)
        faults.append(f"heads={heads} came; of widths={widths} {most} heads of {head} may attend at most, 1 at least")
    if patch not in STRIDES:
        faults.append(f"patch={patch} came; it is 1, 2 or 4")
    if faults:
        raise SpaceError("; ".join(f"space iformer: {fault}" for fault in faults))


def _smaller(size: tuple[int, int], stride: int) -> tuple[int, int]:
    return -(-size[0] // stride), -(-size[1] // stride)


def _stem(medium: int, width: Choice, patch: int) -> Node:
    """Two convolutions with batch norm, to half the width and to all of it."""
    first, second = STRIDES[patch]
    return chain(
        first=op(Downsampling, width=medium // 2, stride=first, norm="none"),
        first_norm=op(BatchNorm),
        activation=op(GELU),
        conv=op(Downsampling, width=width, stride=second, norm="none"),
        norm=op(BatchNorm),
    )


def _down(width: Choice) -> Node:
    return chain(conv=op(Downsampling, width=width, norm="none"), norm=op(BatchNorm))


def _mixers(total: int, attending: int, step: int, head: int, stage: int) -> Choice:
    """Fewer or more heads that attend; at least one does, and one does not. The first stages attend to a pooled map."""
    numbers = {"fewer": attending - step, "medium": attending, "more": attending + step}
    made = {name: n for name, n in numbers.items() if 0 < n < total}
    pool = 2 if stage < 3 else 1
    return choose("heads", **{name: op(InceptionMixer, heads=n, head=head, pool=pool) for name, n in made.items()})


def _depth(medium: int) -> Choice:
    options = {"shallow": medium - 1, "medium": medium, "deep": medium + 1}
    return choose("depth", **{name: depth for name, depth in options.items() if depth > 0})


def _block(mixer: Choice, scaled: bool) -> Node:
    """Mix positions, then channels, each around a shortcut; layer scale in the last two stages."""
    scale = op(LayerScale, start=1e-6)
    return network(
        mixer_norm=op(TokenNorm, epsilon=1e-6),
        mixer=mixer,
        **({"mixer_scale": scale} if scaled else {}),
        mixer_drop=op(DropPath),
        mixed=reads("input", "mixer_drop", add()),
        mlp_norm=op(TokenNorm, epsilon=1e-6),
        mlp=op(FeedForward, ratio=choose("ratio", 2, 3, 4)),
        **({"mlp_scale": scale} if scaled else {}),
        mlp_drop=op(DropPath),
        out=reads("mixed", "mlp_drop", add()),
    )


def picks(depths: tuple[int, ...], later: int = 0) -> dict[str, tuple[str, ...]]:
    """The picks of a published network: medium sizes, MLPs of ratio 4, "more" heads in stage 3's `later` blocks."""
    made: dict[str, tuple[str, ...]] = {}
    for number, depth in zip(STAGES, depths, strict=True):
        stage = f"stage{number}"
        made |= {f"{stage}.down.conv.width": ("medium",), f"{stage}.blocks.depth": ("medium",)}
        for block in range(depth):
            more = number == 3 and block >= depth - later
            made[f"{stage}.blocks.{block}.mixer.heads"] = ("more" if more else "medium",)
            made[f"{stage}.blocks.{block}.mlp.ratio"] = ("4",)
    return made


SIZES = {  # widths, depths, attending heads, and the blocks at the end of stage 3 that have two more
    "s": ((96, 192, 320, 384), (3, 3, 9, 3), (1, 3, 7, 11), 5),
    "b": ((96, 192, 384, 512), (4, 6, 14, 6), (1, 3, 8, 15), 7),
    "l": ((96, 192, 448, 640), (4, 6, 18, 8), (1, 3, 10, 19), 9),
}


def _published(size: str, side: int) -> Published:
    widths, depths, heads, later = SIZES[size]
    settings = {"input": (3, side, side), "classes": 1000, "widths": widths, "depths": depths, "heads": heads}
    return Published(picks(depths, later), settings, f"{side} pixels, https://arxiv.org/abs/2205.12956")


ARCHITECTURES = {
    **{f"iformer-{size}": _published(size, 224) for size in SIZES},
    **{f"iformer-{size}-384": _published(size, 384) for size in SIZES},
}
