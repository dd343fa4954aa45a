"""Segmenter: a class for every pixel, by an encoder of residual blocks and a decoder that takes its finer maps back in.

The form is that of U-Net (Ronneberger et al., 2015, https://arxiv.org/abs/1505.04597) and of FPN (Lin et al., 2017,
https://arxiv.org/abs/1612.03144): each stage of the encoder halves height and width; each level of the decoder brings
a map back to the size of the stage before, adds what it takes from that stage, and refines the sum. Searching such a
network's levels follows Auto-DeepLab (Liu et al., 2019, https://arxiv.org/abs/1901.02985), in spirit only: the shape is
fixed here. All decisions are between layers, so that every strategy can search it, those with gates as well.
"""

from nasengine.errors import SpaceError
from nasengine.layers import (
    ConvNorm,
    DilatedConv,
    PixelClassifier,
    ReLUConvNorm,
    SeparableConv,
    UpsampleTo,
    Zero,
)
from nasengine.space import Node, Space, add, chain, choose, network, op, reads, repeat, residual

TASK = "segmentation"


def space(
    input: tuple[int, int, int] = (1, 32, 32),
    classes: int = 3,
    widths: tuple[int, ...] = (16, 32, 48),
    blocks: int = 2,
    stride: int = 1,
) -> Space:
    """An encoder of `len(widths)` stages, a decoder of one level fewer, and a classifier of pixels.

    widths: channels of each stage, from the finest to the coarsest
    blocks: blocks in each stage
    stride: of the first convolution; 2 for large images, whose scores are then brought to their size
    """
    _refuse(input, widths, blocks, stride)
    stages = [f"stage{number}" for number in range(1, len(widths) + 1)]
    steps: dict[str, Node] = {"stem": op(ConvNorm, width=widths[0], kernel=3, stride=stride)}
    for number, (name, width) in enumerate(zip(stages, widths, strict=True)):
        halved = [op(ReLUConvNorm, width=width, kernel=3, stride=2)] if number else []
        steps[name] = chain(*halved, repeat(_block(width), blocks))
    for name, width in reversed([*zip(stages, widths, strict=True)][:-1]):
        below = next(reversed(steps))
        steps[f"level{name.removeprefix('stage')}"] = reads(below, name, _level(width))
    steps["head"] = op(PixelClassifier, classes=classes)
    steps["pixels"] = reads("head", "input", op(UpsampleTo))
    return Space("segmenter", input=input, network=network(**steps))


def _block(width: int) -> Node:
    """A residual block that may be left out."""
    return residual(
        choose(
            "block",
            none=op(Zero),
            conv=op(ReLUConvNorm, width=width, kernel=3),
            separable=op(SeparableConv, kernel=3),
            wide=op(SeparableConv, kernel=5),
            dilated=op(DilatedConv, kernel=3),
        )
    )


def _level(width: int) -> Node:
    """A coarser map brought to the size of a stage's, what is taken from the stage, and a block upon their sum."""
    skip = choose(
        "skip",
        none=op(Zero),
        pointwise=op(ReLUConvNorm, width=width, kernel=1),
        conv=op(ReLUConvNorm, width=width, kernel=3),
    )
    finer = choose("upsample", bilinear=op(UpsampleTo, mode="bilinear"), nearest=op(UpsampleTo, mode="nearest"))
    return network(
        narrowed=reads("input", op(ReLUConvNorm, width=width, kernel=1)),
        larger=reads("narrowed", "input1", finer),
        taken=reads("input1", skip),
        both=reads("larger", "taken", add()),
        refined=_block(width),
    )


def _refuse(input: tuple[int, int, int], widths: tuple[int, ...], blocks: int, stride: int) -> None:
    """Raise SpaceError for numbers with which no network can be built."""
    faults = []
    if len(widths) < 2 or min(widths, default=0) < 1:
        faults.append(f"widths={widths} came; give two or more, each at least 1")
    if blocks < 1:
        faults.append(f"blocks={blocks} came; give at least 1")
    if stride not in (1, 2):
        faults.append(f"stride={stride} came; give 1 or 2")
    if faults:
        raise SpaceError("\n".join(f"space segmenter: {fault}" for fault in faults))
