"""UniNet (Liu et al., ECCV 2022, https://arxiv.org/abs/2207.05420): which operator in which stage, and what between.

Six stages of equal blocks. Each decides on its operator (convolution, depthwise convolution, attention, attention in
windows, MLP-Mixer), how far its blocks expand, how many there are and how wide they are, and on the downsampling module
before it (local, global, or both). UniNet-B0 to B6 are one architecture at seven sizes.

Departures: the paper names the operators, its published code holds the depthwise convolution, the attention and two of
the downsampling modules; the rest follow the papers they come from (see the layers). A depthwise convolution without
expansion has fewer weights, so it is an operator of its own, "separable". Where heads do not divide a width, there are
as many as cover it. Maps need not be square. The first stage has one width, as the shortcut of its first block
depends on it.
"""

from collections.abc import Mapping

from nasengine.errors import SpaceError
from nasengine.layers import (
    GELU,
    Classifier,
    ConvNorm,
    FeedForward,
    GlobalDownsampling,
    LayerScale,
    LocalDownsampling,
    LocalGlobalDownsampling,
    Pointwise,
    PositionConv,
    SelfAttention,
    TokenMLP,
    TokenNorm,
    UniNetConv,
    UniNetDepthwise,
    UniNetSeparable,
    WindowAttention,
)
from nasengine.space import (
    Choice,
    Node,
    Published,
    Space,
    add,
    chain,
    choose,
    derived,
    network,
    op,
    reads,
    repeat,
    shared,
)

STRIDES = (1, 2, 2, 2, 1, 2)  # of the downsampling before each stage; the first has none


def space(
    input: tuple[int, int, int] = (3, 224, 224),
    classes: int = 1000,
    widths: tuple[int, ...] = (24, 48, 80, 128, 128, 256),
    depths: tuple[int, ...] = (1, 2, 4, 4, 4, 8),
    stem: int = 32,
    stem_stride: int = 2,
    head: int = 32,
    window: int = 7,
    features: int = 1280,
) -> Space:
    """Six stages after a stem; maps are halved where the second, third, fourth and last begin, rounded up.

    widths: the medium width of each stage; narrow is three quarters of it, wide five quarters, in multiples of 8
    depths: the medium number of blocks of each stage; shallow is one less (where any are left), deep one more
    stem: width of the first convolution
    stem_stride: its stride: 2 in the paper, 1 for small images
    head: channels of a head
    window: the largest side of a window of attention, in positions
    features: width of the last pointwise convolution, before the classifier
    """
    _refuse(widths, depths, stem, stem_stride, head, window, features)
    size = _smaller((input[1], input[2]), stem_stride)
    steps: dict[str, Node] = {
        "stem": op(ConvNorm, width=stem, kernel=3, stride=stem_stride),
        "stem_activation": op(GELU),
    }
    for number, (width, depth, stride) in enumerate(zip(widths, depths, STRIDES, strict=True)):
        size, name = _smaller(size, stride), f"stage{number}"
        mixers = _mixers(size, width, head, window)
        blocks = shared(name, repeat(_block(name, mixers), _depth(depth, less=int(number == 0)), tie=True))
        if number == 0:
            steps[name] = chain(first=shared(name, _block(name, mixers, width, stem)), blocks=blocks)
        else:
            steps[name] = chain(down=_downsampling(name, _width(width), stride, head), blocks=blocks)
    last = {"features": op(ConvNorm, width=features), "activation": op(GELU), "head": op(Classifier, classes=classes)}
    return Space("uninet", input=input, network=chain(**steps, **last))


def _refuse(
    widths: tuple[int, ...], depths: tuple[int, ...], stem: int, stem_stride: int, head: int, window: int, features: int
) -> None:
    faults = []
    if len(widths) != len(STRIDES) or len(depths) != len(STRIDES):
        faults.append(f"widths={widths}, depths={depths} came; give six of each, one for every stage")
    if any(width < 8 or width % 8 for width in widths) or min(depths, default=1) < 1:
        faults.append(f"widths={widths}, depths={depths} came; widths are multiples of 8, depths at least 1")
    numbers = {"stem": stem, "stem_stride": stem_stride, "head": head, "window": window, "features": features}
    faults += [f"{name}={number} came; it is at least 1" for name, number in numbers.items() if number < 1]
    if faults:
        raise SpaceError("; ".join(f"space uninet: {fault}" for fault in faults))


def _smaller(size: tuple[int, int], stride: int) -> tuple[int, int]:
    return -(-size[0] // stride), -(-size[1] // stride)


def _width(medium: int) -> Choice:
    narrow, wide = (int(medium * factor / 8 + 0.5) * 8 for factor in (0.75, 1.25))
    options = {"narrow": min(narrow, medium - 8), "medium": medium, "wide": max(wide, medium + 8)}
    return choose("width", **{name: width for name, width in options.items() if width > 0})


def _depth(medium: int, less: int = 0) -> Choice:
    """How many blocks there are, `less` of which stand elsewhere."""
    options = {"shallow": medium - 1, "medium": medium, "deep": medium + 1}
    return choose("depth", **{name: depth - less for name, depth in options.items() if depth > 0})


def _downsampling(stage: str, width: Choice, stride: int, head: int) -> Node:
    attention = {"heads": derived(lambda width: -(-width // head), "width"), "head": head}
    modules = {
        "local": op(LocalDownsampling, width=width, stride=stride),
        "global": op(GlobalDownsampling, width=width, stride=stride, **attention),
        "local_global": op(LocalGlobalDownsampling, width=width, stride=stride, **attention),
    }
    return shared(stage, choose("downsampling", **{name: shared(stage, module) for name, module in modules.items()}))


def _mixers(size: tuple[int, int], width: int, head: int, window: int) -> dict[str, Node]:
    """What mixes positions in a transformer block; Mixer's hidden layer has half the width's number."""
    return {
        "attention": op(SelfAttention, head=head),
        "window": op(WindowAttention, head=head, window=window),
        "mlp": op(TokenMLP, size=size, hidden=width // 2),
    }


def _block(stage: str, mixers: Mapping[str, Node], width: int | None = None, before: int | None = None) -> Choice:
    """One block of a stage; the first one of all takes another width than it gives."""
    expansion = choose("expansion", 2, 3, 4, 5, 6)
    changed = {} if width in (None, before) else {"width": width}
    widen = {"widen": op(Pointwise, bias=True, **changed)} if changed else {}
    blocks: dict[str, Node] = {
        "separable": op(UniNetSeparable, **changed),
        "dwconv": shared(stage, op(UniNetDepthwise, expansion=expansion, **changed)),
        "conv": shared(stage, op(UniNetConv, expansion=expansion, **changed)),
    }
    for name, mixer in mixers.items():
        mlp = shared(stage, op(FeedForward, ratio=expansion))
        blocks[name] = chain(**widen, block=_transformer(mixer, mlp)) if widen else _transformer(mixer, mlp)
    return choose("operator", **blocks)


def _transformer(mixer: Node, mlp: Node) -> Node:
    """Positions from the neighbourhood, then mix positions and channels, each with layer scale around a shortcut."""
    return network(
        position=op(PositionConv),
        mixer_norm=op(TokenNorm),
        mixer=mixer,
        mixer_scale=op(LayerScale, start=1e-6),
        mixed=reads("position", "mixer_scale", add()),
        mlp_norm=op(TokenNorm),
        mlp=mlp,
        mlp_scale=op(LayerScale, start=1e-6),
        out=reads("mixed", "mlp_scale", add()),
    )


def picks() -> dict[str, tuple[str, ...]]:
    """The architecture of UniNet-B0 to B6: four stages of depthwise convolutions, two of attention."""
    operators = ("separable", *("dwconv",) * 3, *("attention",) * 2)
    made: dict[str, tuple[str, ...]] = {}
    for number, (operator, expansion) in enumerate(zip(operators, (1, 4, 6, 3, 2, 5), strict=True)):
        stage = {"operator": operator, "depth": "medium"}
        if number:
            downsampling = "local" if number < 4 else "local_global"
            stage |= {"downsampling": downsampling, "width": "medium", "expansion": str(expansion)}
        made |= {f"stage{number}.{name}": (option,) for name, option in stage.items()}
    return made


SIZES = {  # side of the image, depths, widths
    "b0": (160, (1, 2, 4, 4, 4, 8), (24, 48, 80, 128, 128, 256)),
    "b1": (224, (1, 2, 4, 4, 4, 8), (24, 48, 80, 128, 128, 256)),
    "b2": (256, (2, 3, 6, 6, 6, 12), (24, 48, 80, 128, 128, 256)),
    "b3": (288, (2, 3, 7, 7, 7, 14), (24, 56, 96, 160, 160, 288)),
    "b4": (320, (2, 4, 9, 9, 9, 18), (32, 64, 112, 192, 192, 352)),
    "b5": (384, (3, 5, 10, 10, 10, 20), (32, 64, 112, 224, 224, 448)),
    "b6": (448, (4, 6, 12, 12, 12, 24), (48, 96, 160, 256, 256, 512)),
}
ARCHITECTURES = {
    f"uninet-{size}": Published(
        picks(),
        {"input": (3, side, side), "classes": 1000, "widths": widths, "depths": depths},
        f"{side} pixels, https://arxiv.org/abs/2207.05420",
    )
    for size, (side, depths, widths) in SIZES.items()
}
