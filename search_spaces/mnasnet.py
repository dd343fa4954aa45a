"""MnasNet (Tan et al., 2019, https://arxiv.org/abs/1807.11626): a factorized hierarchical space of seven blocks.

The layers of a block are equal, and each block chooses for itself: an operation (convolution, depthwise separable
convolution, inverted residual of expansion 3 or 6), a kernel, squeeze-and-excitation or none, what is added to a layer
that keeps width and size (pooling, identity, nothing), a width and a number of layers relative to MobileNetV2: 432
ways, fewer in those blocks that may have one layer only, which are not asked what to add.

Departures from the paper, of which some say what it leaves open: blocks of one layer may have one or two; the first
layer of a block has nothing added; pooling is the mean of 3 by 3; squeeze-and-excitation has a quarter of the channels
that arrive; widths are rounded to multiples of 4; small images have fewer strides, odd ones are rounded up at each. The
published networks do not keep to those widths: their own are settings.
"""

from nasengine.errors import SpaceError
from nasengine.layers import AvgPool, Classifier, ConvNormReLU, DepthwiseConv, Identity, MBConv, SqueezeExcite
from nasengine.layers.inverted_residual import rounded
from nasengine.layers.resize import strides_for
from nasengine.space import (
    Choice,
    Node,
    Published,
    Space,
    add,
    chain,
    choose,
    network,
    nothing,
    op,
    reads,
    repeat,
    shared,
)

SQUEEZE = 0.25
FACTORS = (0.75, 1.0, 1.25)


def space(
    input: tuple[int, int, int] = (3, 224, 224),
    classes: int = 1000,
    widths: tuple[int, ...] = (16, 24, 32, 64, 96, 160, 320),
    layers: tuple[int, ...] = (1, 2, 3, 4, 3, 3, 1),
    strides: tuple[int, ...] = (1, 2, 2, 2, 1, 2, 1),
    stem: int = 32,
    features: int = 1280,
    smallest_map: int = 4,
) -> Space:
    """Blocks between a fixed stem and a fixed head; widths and numbers of layers are those that the choices start from.

    widths: width of each block, to be multiplied by 0.75, 1 or 1.25
    layers: layers of each block, from one fewer (if that leaves any) to one more
    strides: stride of each block's first layer
    stem: width of the first convolution
    features: width of the last pointwise convolution, before the classifier
    smallest_map: pixels a side that the last maps keep at least; on small images the first strides are left out for it
    """
    faults = []
    if not len(widths) == len(layers) == len(strides) or not widths:
        faults.append(f"widths={widths}, layers={layers}, strides={strides} came; give one of each for every block")
    sizes = {"widths": widths, "layers": layers, "strides": strides, "stem": (stem,), "features": (features,)}
    faults += [f"{name}={given} came; each is at least 1" for name, given in sizes.items() if min(given, default=1) < 1]
    if not 1 <= smallest_map <= min(input[1:]):
        words = f"smallest_map={smallest_map} and images of {input[1]} by {input[2]} pixels came"
        faults.append(f"{words}; maps have at least 1 pixel a side, and images no fewer than maps")
    if faults:
        raise SpaceError("space mnasnet: " + "; ".join(faults))
    stem_stride, *fitting = strides_for(min(input[1:]), (2, *strides), smallest_map)
    blocks = {
        f"block{number}": _block(f"block{number}", width, count, stride)
        for number, (width, count, stride) in enumerate(zip(widths, layers, fitting, strict=True), 1)
    }
    return Space(
        "mnasnet",
        input=input,
        network=chain(
            stem=op(ConvNormReLU, width=stem, kernel=3, stride=stem_stride),
            **blocks,
            features=op(ConvNormReLU, width=features),
            head=op(Classifier, classes=classes),
        ),
    )


def _block(name: str, width: int, layers: int, stride: int) -> Node:
    """A block's decisions are in its own namespace, wherever in the block they are asked."""
    chosen = choose("width", **{f"{factor:g}": rounded(width * factor, 4) for factor in FACTORS})
    more = choose("layers", **{f"{change:+d}": layers + change - 1 for change in (-1, 0, 1) if layers + change > 0})
    skip = choose("skip", pool=op(AvgPool, kernel=3), identity=op(Identity), none=nothing())
    later = network(
        layer=reads("input", _layer(name, chosen, 1)),
        skip=reads("input", shared(name, skip)),
        sum=reads("layer", "skip", add()),
    )
    rest = shared(name, repeat(later, more, tie=True))
    return network(first=reads("input", _layer(name, chosen, stride)), rest=reads("first", rest))


def _layer(name: str, width: Choice, stride: int) -> Node:
    """One of four operations, with squeeze-and-excitation or without."""

    def squeezable(plain: Node, squeezed: Node) -> Node:
        return shared(name, choose("squeeze", none=shared(name, plain), quarter=shared(name, squeezed)))

    sizes = {"width": width, "kernel": choose("kernel", 3, 5), "stride": stride}
    conv, excite = op(ConvNormReLU, **sizes), op(SqueezeExcite, ratio=SQUEEZE)
    options = {
        "conv": squeezable(conv, chain(conv, excite)),
        "dwconv": squeezable(op(DepthwiseConv, **sizes), op(DepthwiseConv, squeeze=SQUEEZE, **sizes)),
    }
    for expand in (3, 6):
        inverted = {"expand": expand, **sizes}
        options[f"mbconv{expand}"] = squeezable(
            op(MBConv, **inverted), op(MBConv, squeeze=SQUEEZE / expand, **inverted)
        )
    return shared(name, choose("op", **options))


def picks(*blocks: str) -> dict[str, tuple[str, ...]]:
    """The picks of blocks as `mbconv3 5 quarter identity -1`: operation, kernel, squeeze, skip, change of layers.

    Their widths are those of the settings; a block of one layer has `-` for its skip.
    """
    names = ("op", "kernel", "squeeze", "skip", "layers")
    made: dict[str, tuple[str, ...]] = {}
    for number, words in enumerate(blocks, 1):
        answers = zip(names, words.split(), strict=True)
        made |= {f"block{number}.{name}": (word,) for name, word in answers if word != "-"}
        made[f"block{number}.width"] = ("1",)
    return made


def _published(widths: tuple[int, ...], *blocks: str) -> Published:
    settings = {"input": (3, 224, 224), "classes": 1000, "widths": widths}
    return Published(picks(*blocks), settings, "https://arxiv.org/abs/1807.11626")


ARCHITECTURES = {
    "MnasNet-A1": _published(
        (16, 24, 40, 80, 112, 160, 320),
        "dwconv 3 none - +0",
        "mbconv6 3 none identity +0",
        "mbconv3 5 quarter identity +0",
        "mbconv6 3 none identity +0",
        "mbconv6 3 quarter identity -1",
        "mbconv6 5 quarter identity +0",
        "mbconv6 3 none - +0",
    ),
    "MnasNet-B1": _published(
        (16, 24, 40, 80, 96, 192, 320),
        "dwconv 3 none - +0",
        "mbconv3 3 none identity +1",
        "mbconv3 5 none identity +0",
        "mbconv6 5 none identity -1",
        "mbconv6 3 none identity -1",
        "mbconv6 5 none identity +1",
        "mbconv6 3 none - +0",
    ),
}
