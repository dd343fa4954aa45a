"""FBNet (Wu et al., 2019, https://arxiv.org/abs/1812.03443): 22 layers, one of nine blocks each, 9^22 networks.

A block is an inverted residual with a kernel of 3 or 5 and an expansion of 1, 3 or 6, those of expansion 1 also with
pointwise convolutions in two groups (`g2`), or a skip. Widths and strides are fixed.

Departures from the paper: where a skip changes width or size it is a pointwise convolution with norm and ReLU, as in
common reimplementations; small or odd images are rounded up at each stride; the published networks have no biases
beside their norms.
"""

from nasengine.errors import SpaceError
from nasengine.layers import Classifier, ConvNormReLU, GroupedMBConv, Identity, MBConv
from nasengine.layers.inverted_residual import rounded
from nasengine.layers.resize import strides_for
from nasengine.space import Choice, Node, Published, Space, chain, choose, op, residual

WIDTHS = (16, 24, 32, 64, 112, 184, 352)
STRIDES = (1, 2, 2, 2, 1, 2, 1)
BLOCKS = {  # name: layer, kernel, expansion
    "k3_e1": (MBConv, 3, 1),
    "k3_e1_g2": (GroupedMBConv, 3, 1),
    "k3_e3": (MBConv, 3, 3),
    "k3_e6": (MBConv, 3, 6),
    "k5_e1": (MBConv, 5, 1),
    "k5_e1_g2": (GroupedMBConv, 5, 1),
    "k5_e3": (MBConv, 5, 3),
    "k5_e6": (MBConv, 5, 6),
}


def space(
    input: tuple[int, int, int] = (3, 224, 224),
    classes: int = 1000,
    width: float = 1.0,
    depths: tuple[int, ...] = (1, 4, 4, 4, 4, 4, 1),
    features: int = 1984,
    smallest_map: int = 4,
) -> Space:
    """Seven stages of equal widths between a fixed stem and a fixed head.

    width: factor of all published widths, rounded to multiples of 8
    depths: layers of each of the seven stages
    features: width of the last pointwise convolution, before the classifier
    smallest_map: pixels a side that the last maps keep at least; on small images the first strides are left out for it
    """
    faults = []
    if len(depths) != len(WIDTHS) or min(depths, default=0) < 1:
        faults.append(f"depths={depths} came; give seven numbers, each at least 1")
    if width <= 0 or features < 1:
        faults.append(f"width={width}, features={features} came; each is above 0")
    if not 1 <= smallest_map <= min(input[1:]):
        words = f"smallest_map={smallest_map} and images of {input[1]} by {input[2]} pixels came"
        faults.append(f"{words}; maps have at least 1 pixel a side, and images no fewer than maps")
    if faults:
        raise SpaceError("space fbnet: " + "; ".join(faults))
    stem_stride, *strides = strides_for(min(input[1:]), (2, *STRIDES), smallest_map)
    arriving = rounded(16 * width)
    steps: dict[str, Node] = {"stem": op(ConvNormReLU, width=arriving, kernel=3, stride=stem_stride)}
    for stage, (base, stride, depth) in enumerate(zip(WIDTHS, strides, depths, strict=True)):
        leaving = rounded(base * width)
        for i in range(depth):
            number = sum(depths[:stage]) + i + 1
            steps[f"layer{number}"] = _layer(arriving, leaving, stride if i == 0 else 1)
            arriving = leaving
    steps["features"] = op(ConvNormReLU, width=features)
    steps["head"] = op(Classifier, classes=classes)
    return Space("fbnet", input=input, network=chain(**steps))


def _layer(arriving: int, leaving: int, stride: int) -> Choice:
    keeps = arriving == leaving and stride == 1
    options: dict[str, Node] = {}
    for name, (layer, kernel, expand) in BLOCKS.items():
        block = op(layer, width=leaving, expand=expand, kernel=kernel, stride=stride)
        options[name] = residual(block) if keeps else block
    options["skip"] = op(Identity) if keeps else op(ConvNormReLU, width=leaving, stride=stride)
    return choose("block", **options)


def picks(text: str) -> dict[str, tuple[str, ...]]:
    """The picks of 22 blocks written one after the other."""
    return {f"layer{number}.block": (name,) for number, name in enumerate(text.split(), 1)}


def _published(text: str, features: int) -> Published:
    settings = {"input": (3, 224, 224), "classes": 1000, "features": features}
    return Published(picks(text), settings, "https://arxiv.org/abs/1812.03443")


ARCHITECTURES = {
    "FBNet-A": _published(
        "skip  k3_e3 k3_e1 skip skip  k5_e6 k3_e3 k5_e1 k3_e3  k5_e6 k5_e3 k5_e1_g2 k5_e6 "
        "k3_e6 k5_e1_g2 k5_e3 k3_e1_g2  k5_e6 k5_e6 k5_e3 k5_e6  k5_e6",
        1504,
    ),
    "FBNet-B": _published(
        "k3_e1  k3_e6 k5_e1 k3_e1 k3_e1  k5_e6 k5_e3 k3_e6 k5_e6  k5_e6 k5_e6 skip k5_e3 "
        "k5_e6 k3_e1 k5_e1 k5_e3  k5_e6 k5_e1 k5_e6 k5_e6  k3_e6",
        1984,
    ),
    "FBNet-C": _published(
        "k3_e1  k3_e6 skip k3_e1 k3_e1  k5_e6 k5_e3 k5_e6 k3_e6  k5_e6 k5_e3 k5_e6 k5_e6 "
        "k5_e6 k5_e6 k5_e6 k5_e3  k5_e6 k5_e6 k5_e6 k5_e6  k3_e6",
        1984,
    ),
}
