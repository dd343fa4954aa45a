"""Once-for-all's MobileNetV3 (Cai et al., 2020, https://arxiv.org/abs/1908.09791): kernels, expansions, depths, widths.

Five stages of two to four inverted residuals, each with a kernel and an expansion of its own: 7,371^5 networks, times
25 with the paper's resolutions. With `widths` each stage also chooses its width, as in BigNAS (Yu et al., 2020,
https://arxiv.org/abs/2003.11142). Kernels, expansions and widths are cut out of the largest block; a shallower stage
is its first blocks. MobileNetV3-Large (Howard et al., 2019, https://arxiv.org/abs/1905.02244) is in the space that has
its two odd expansions too.

Departures from the papers: images are resized within the network; small images have fewer strides, odd ones are rounded
up at each; smaller kernels are central windows, learned transforms being the strategy once-for-all's; there is no
dropout before the classifier.
"""

from nasengine.errors import SpaceError
from nasengine.layers import ConvNormActivation, DepthwiseConv, HiddenClassifier, MBConv, Resize
from nasengine.layers.inverted_residual import rounded
from nasengine.layers.resize import strides_for
from nasengine.space import Node, Published, Space, chain, choose, derived, network, op, repeat, residual

BASE = (24, 40, 80, 112, 160)  # widths of the stages
STRIDES = (2, 2, 2, 1, 2)
SQUEEZED = (False, True, False, True, True)
SWISH = (False, False, True, True, True)


def space(
    input: tuple[int, int, int] = (3, 224, 224),
    classes: int = 1000,
    width: float = 1.0,
    kernels: tuple[int, ...] = (3, 5, 7),
    expansions: tuple[float, ...] = (3, 4, 6),
    depths: tuple[int, ...] = (2, 3, 4),
    widths: tuple[float, ...] = (1.0,),
    resolutions: tuple[int, ...] = (),
    smallest_map: int = 4,
    bias: bool = False,
) -> Space:
    """Five stages between a fixed stem and a fixed head; every size is a decision of its own.

    width: factor of all published widths, rounded to multiples of 8
    kernels: sides of the depthwise kernels to choose from, odd
    expansions: factors of the expanded widths to choose from
    depths: blocks of a stage to choose from, 2 or more
    widths: factors of a stage's width to choose from; with one there is nothing to choose
    resolutions: sides to resize the images to; none keeps them as they are
    smallest_map: pixels a side that the last maps keep at least; on small images the first strides are left out for it
    bias: whether the layer before the classifier has a bias, as in MobileNetV3
    """
    sides = resolutions or input[1:]
    _refuse(width, kernels, expansions, depths, widths, sides, smallest_map)
    stem_stride, *strides = strides_for(min(sides), (2, *STRIDES), smallest_map)
    swish = "hard_swish"
    steps: dict[str, Node] = {}
    if resolutions:
        steps["resize"] = op(Resize, size=choose("resolution", *resolutions))
    stem = rounded(16 * width)
    steps["stem"] = op(ConvNormActivation, width=stem, kernel=3, stride=stem_stride, activation=swish)
    steps["first"] = residual(op(DepthwiseConv, width=stem))
    for i, base in enumerate(BASE):
        factors = {f"{factor:g}": rounded(base * width * factor) for factor in widths}
        steps[f"stage{i + 1}"] = _stage(i, strides[i], factors, kernels, expansions, depths)
    steps["features"] = op(ConvNormActivation, width=rounded(960 * width), activation=swish)
    steps["head"] = op(HiddenClassifier, classes=classes, hidden=rounded(1280 * width), bias=bias)
    return Space("mobile", input=input, network=chain(**steps))


def _stage(
    number: int,
    stride: int,
    factors: dict[str, int],
    kernels: tuple[int, ...],
    expansions: tuple[float, ...],
    depths: tuple[int, ...],
) -> Node:
    """A block that changes the size, and at least one more with a shortcut."""
    fixed = next(iter(factors.values())) if len(factors) == 1 else None
    ratios = {f"{ratio:g}": float(ratio) for ratio in expansions}

    def block(width: object, stride: int) -> Node:
        return op(
            MBConv,
            width=width,
            expand=choose("expand", **ratios),
            kernel=choose("kernel", *kernels),
            stride=stride,
            squeeze=0.25 if SQUEEZED[number] else 0.0,
            activation="hard_swish" if SWISH[number] else "relu",
            gate="hard_sigmoid",
        )

    more = choose("depth", **{str(depth): depth - 1 for depth in depths})
    return network(
        first=block(fixed or choose("width", **factors), stride),
        rest=repeat(residual(block(fixed or derived(int, "first.width"), 1)), more),
    )


def _refuse(
    width: float,
    kernels: tuple[int, ...],
    expansions: tuple[float, ...],
    depths: tuple[int, ...],
    widths: tuple[float, ...],
    sides: tuple[int, ...],
    smallest_map: int,
) -> None:
    faults = []
    if any(kernel < 1 or kernel % 2 == 0 for kernel in kernels):
        faults.append(f"kernels={kernels} came; give odd numbers, so that smaller ones lie in the middle")
    if any(depth < 2 for depth in depths):
        faults.append(f"depths={depths} came; a stage has at least 2 blocks")
    if width <= 0 or any(factor <= 0 for factor in (*widths, *expansions)):
        faults.append(f"width={width}, widths={widths}, expansions={expansions} came; each is above 0")
    if not (kernels and expansions and depths and widths):
        faults.append("kernels, expansions, depths and widths: one came empty; give at least one value for each")
    wanted = max((kernel // 2 + 1 for kernel in kernels), default=1)
    if smallest_map < wanted:
        faults.append(
            f"smallest_map={smallest_map} came; kernels={kernels} are told apart on maps of at least {wanted} pixels a "
            "side, give that or smaller kernels"
        )
    if min(sides) < smallest_map:
        faults.append(
            f"images of {min(sides)} pixels a side came; the smallest that the last maps may be is {smallest_map}, "
            "so give larger images or resolutions, or a smaller smallest_map"
        )
    distinct = {rounded(BASE[0] * width * factor) for factor in widths}
    if len(distinct) < len(widths):
        faults.append(f"widths={widths} came; some round to the same multiple of 8, give factors further apart")
    if faults:
        raise SpaceError("space mobile: " + "; ".join(faults))


Block = tuple[int, str]  # kernel, expansion


def picks(*stages: tuple[Block, ...]) -> dict[str, tuple[str, ...]]:
    """The picks of five stages, each given as its blocks."""
    made: dict[str, tuple[str, ...]] = {}
    for number, blocks in enumerate(stages, 1):
        made[f"stage{number}.rest.depth"] = (str(len(blocks)),)
        for i, (kernel, expansion) in enumerate(blocks):
            place = f"stage{number}.first" if i == 0 else f"stage{number}.rest.{i - 1}"
            made[f"{place}.kernel"], made[f"{place}.expand"] = (str(kernel),), (expansion,)
    return made


_IMAGENET: dict[str, object] = {"input": (3, 224, 224), "classes": 1000}
_LARGE = picks(
    ((3, "4"), (3, "3")),
    ((5, "3"), (5, "3"), (5, "3")),
    ((3, "6"), (3, "2.5"), (3, "2.3"), (3, "2.3")),
    ((3, "6"), (3, "6")),
    ((5, "6"), (5, "6"), (5, "6")),
)

ARCHITECTURES = {
    "MobileNetV3-Large": Published(
        _LARGE, {**_IMAGENET, "expansions": (2.3, 2.5, 3, 4, 6), "bias": True}, "https://arxiv.org/abs/1905.02244"
    ),
}
