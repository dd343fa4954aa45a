"""NAS-Bench-Macro (Su et al., CVPR 2021, https://arxiv.org/abs/2103.11922): a chain of eight layers, one of three each.

From "Prioritized Architecture Sampling with Monto-Carlo Tree Search". The 6,561 networks are those of the published
table; 3,969 of them differ, for within a stage it does not matter where an identity stands.
"""

from nasengine.errors import SpaceError
from nasengine.layers import Classifier, ConvNorm, ConvNormReLU, Identity, InvertedBottleneck
from nasengine.space import Architecture, Choice, Node, Space, chain, choose, op, residual

OPERATIONS = ("identity", "mb3_k3", "mb6_k5")  # in the order of the published digits 0, 1, 2
REDUCING = (1, 3, 6)  # layers that begin a stage: twice the width, half the size
LAYERS = range(1, 9)


def space(
    input: tuple[int, int, int] = (3, 32, 32), classes: int = 10, channels: int = 32, features: int = 1280
) -> Space:
    """Three stages of two, three and three layers.

    channels: width of the stem, doubled by the first layer of each stage
    features: width of the last pointwise convolution, before the classifier
    """
    if channels < 1 or features < 1:
        raise SpaceError(f"space nasbench_macro: channels={channels}, features={features} came; each is at least 1")
    width, layers = channels, dict[str, Node]()
    for number in LAYERS:
        reduces = number in REDUCING
        width *= 1 + reduces
        layers[f"layer{number}"] = _reducing(width) if reduces else _keeping(width)
    return Space(
        "nasbench_macro",
        input=input,
        network=chain(
            stem=op(ConvNormReLU, width=channels, kernel=3),
            **layers,
            features=op(ConvNormReLU, width=features),
            head=op(Classifier, classes=classes),
        ),
    )


def _reducing(width: int) -> Choice:
    """The first layer of a stage; what stands for the identity is a pointwise convolution."""
    return choose(
        "block",
        identity=op(ConvNorm, width=width, stride=2),
        mb3_k3=op(InvertedBottleneck, width=width, expand=3, kernel=3, stride=2),
        mb6_k5=op(InvertedBottleneck, width=width, expand=6, kernel=5, stride=2),
    )


def _keeping(width: int) -> Choice:
    return choose(
        "block",
        identity=op(Identity),
        mb3_k3=residual(op(InvertedBottleneck, width=width, expand=3, kernel=3)),
        mb6_k5=residual(op(InvertedBottleneck, width=width, expand=6, kernel=5)),
    )


def decision(layer: int) -> str:
    """The decision that picks a layer's block; layers count from 1."""
    return f"layer{layer}.block"


def to_string(architecture: Architecture) -> str:
    """The published spelling: a digit for each layer, 0 identity, 1 mb3_k3, 2 mb6_k5."""
    return "".join(str(OPERATIONS.index(architecture.picks[decision(layer)][0])) for layer in LAYERS)


def from_string(text: str) -> Architecture:
    """The architecture of eight published digits; raises SpaceError where they are not."""
    if len(text) != len(LAYERS) or not set(text) <= set("012"):
        raise SpaceError(f"NAS-Bench-Macro network {text!r}: give eight digits, each 0, 1 or 2")
    return Architecture({decision(layer): (OPERATIONS[int(digit)],) for layer, digit in zip(LAYERS, text, strict=True)})
