"""ProxylessNAS (Cai et al., 2019, https://arxiv.org/abs/1812.00332): 21 inverted residuals, 6^6 x 7^15 networks.

A block has a kernel of 3, 5 or 7 and an expansion of 3 or 6; the 15 that have a shortcut can be left out (`zero`).
Each option has weights of its own, as the paper's paths have.

Departures from the published code: batch norm has torch's constants, not epsilon 0.001; small images have fewer
strides, odd ones are rounded up at each; there is no dropout before the classifier.
"""

from nasengine.errors import SpaceError
from nasengine.layers import Classifier, ConvNormActivation, DepthwiseConv, MBConv, Zero
from nasengine.layers.resize import strides_for
from nasengine.space import Node, Published, Space, chain, choose, op, residual

STRIDES = (2, 2, 2, 1, 2, 1)
KERNELS, EXPANSIONS = (3, 5, 7), (3, 6)


def space(
    input: tuple[int, int, int] = (3, 224, 224),
    classes: int = 1000,
    stem: int = 32,
    first: int = 16,
    widths: tuple[int, ...] = (24, 40, 80, 96, 192, 320),
    depths: tuple[int, ...] = (4, 4, 4, 4, 4, 1),
    features: int = 1280,
    smallest_map: int = 4,
) -> Space:
    """Six stages between a fixed stem and a fixed head.

    stem: width of the first convolution
    first: width of the fixed block after it
    widths: width of each of the six stages
    depths: blocks of each stage
    features: width of the last pointwise convolution, before the classifier
    smallest_map: pixels a side that the last maps keep at least; on small images the first strides are left out for it
    """
    faults = []
    for name, given in (("widths", widths), ("depths", depths)):
        if len(given) != len(STRIDES) or min(given, default=0) < 1:
            faults.append(f"{name}={given} came; give six numbers, each at least 1")
    if min(stem, first, features) < 1:
        faults.append(f"stem={stem}, first={first}, features={features} came; each is at least 1")
    if not 1 <= smallest_map <= min(input[1:]):
        words = f"smallest_map={smallest_map} and images of {input[1]} by {input[2]} pixels came"
        faults.append(f"{words}; maps have at least 1 pixel a side, and images no fewer than maps")
    if faults:
        raise SpaceError("space proxyless: " + "; ".join(faults))
    stem_stride, *strides = strides_for(min(input[1:]), (2, *STRIDES), smallest_map)
    steps: dict[str, Node] = {
        "stem": op(ConvNormActivation, width=stem, kernel=3, stride=stem_stride, activation="relu6"),
        "first": op(DepthwiseConv, width=first, activation="relu6"),
    }
    for number, (width, depth, stride) in enumerate(zip(widths, depths, strides, strict=True), 1):
        later = {f"block{i}": residual(_block(width)) for i in range(2, depth + 1)}
        steps[f"stage{number}"] = chain(block1=_block(width, stride, keeps=False), **later)
    steps["features"] = op(ConvNormActivation, width=features, activation="relu6")
    steps["head"] = op(Classifier, classes=classes)
    return Space("proxyless", input=input, network=chain(**steps))


def _block(width: int, stride: int = 1, keeps: bool = True) -> Node:
    """Six inverted residuals, and nothing at all where that keeps width and size."""
    options: dict[str, Node] = {
        f"k{kernel}_e{expand}": op(MBConv, width=width, expand=expand, kernel=kernel, stride=stride, activation="relu6")
        for kernel in KERNELS
        for expand in EXPANSIONS
    }
    return choose("block", **options, **({"zero": op(Zero)} if keeps else {}))


def picks(*stages: str) -> dict[str, tuple[str, ...]]:
    """The picks of six stages, each written as its blocks: `53` is kernel 5, expansion 3, and `-` is zero."""
    made: dict[str, tuple[str, ...]] = {}
    for number, stage in enumerate(stages, 1):
        for i, word in enumerate(stage.split(), 1):
            made[f"stage{number}.block{i}.block"] = ("zero" if word == "-" else f"k{word[0]}_e{word[1]}",)
    return made


def _published(stem: int, first: int, widths: tuple[int, ...], features: int, *stages: str) -> Published:
    settings = {
        "input": (3, 224, 224), "classes": 1000, "stem": stem, "first": first, "widths": widths, "features": features,
    }  # fmt: skip
    return Published(picks(*stages), settings, "https://arxiv.org/abs/1812.00332")


_MOBILE = "53 33 - -", "73 33 53 53", "76 53 53 53", "56 53 53 53", "76 76 73 73", "76"

ARCHITECTURES = {
    "ProxylessNAS-CPU": _published(
        40, 24, (32, 48, 88, 104, 216, 360), 1432,
        "36 33 33 33", "36 33 33 53", "36 - - 33", "56 33 33 33", "56 53 53 33", "56",
    ),
    "ProxylessNAS-GPU": _published(
        40, 24, (32, 56, 112, 128, 256, 432), 1728,
        "53 - - -", "73 - - 33", "76 - - 53", "56 33 - 53", "76 76 76 56", "76",
    ),
    "ProxylessNAS-Mobile": _published(32, 16, (32, 40, 80, 96, 192, 320), 1280, *_MOBILE),
    "ProxylessNAS-Mobile-1.4": _published(48, 24, (40, 56, 112, 136, 256, 448), 1792, *_MOBILE),
}  # fmt: skip
