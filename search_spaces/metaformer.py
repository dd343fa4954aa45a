"""MetaFormer (Yu et al., 2022, https://arxiv.org/abs/2210.13452): stages of blocks that mix tokens, then channels."""

from nasengine.layers import MLP, Attention, Classifier, ConvNorm, Identity, Norm, Pooling, SepConv
from nasengine.space import Node, Space, chain, choose, op, repeat, residual


def block() -> Node:
    """Mix positions by one of four mixers, then channels."""
    mixer = choose(
        "mixer",
        pool=op(Pooling, kernel=3),
        conv=op(SepConv, kernel=choose("kernel", 3, 5, 7)),
        attention=op(Attention, head=16),
        none=op(Identity),
    )
    return chain(
        residual(op(Norm), mixer),
        residual(op(Norm), op(MLP, ratio=choose("ratio", 2, 3, 4))),
    )


def stage(widths: tuple[int, ...], depths: tuple[int, ...]) -> Node:
    """Halve the image's size, then a chosen number of blocks at a chosen width."""
    return chain(
        op(ConvNorm, width=choose("width", *widths), kernel=3, stride=2),
        repeat(block(), choose("depth", *depths)),
    )


def space(input: tuple[int, int, int] = (3, 64, 64), classes: int = 10) -> Space:
    """Three stages. Departure from the paper: batch norm after the convolutions between stages, no final norm."""
    return Space(
        "metaformer",
        input=input,
        network=chain(
            stage1=stage(widths=(32, 48), depths=(1, 2)),
            stage2=stage(widths=(64, 96), depths=(2, 3, 4)),
            stage3=stage(widths=(128, 192), depths=(2, 3, 4)),
            head=op(Classifier, classes=classes),
        ),
    )
