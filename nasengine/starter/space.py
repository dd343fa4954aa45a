"""My space: blocks that mix neighbouring pixels, then channels."""

from nasengine.layers import MLP, Attention, Classifier, ConvNorm, Norm, Pooling, SepConv
from nasengine.space import Node, Space, chain, choose, op, repeat, residual


def block() -> Node:
    """A mixer that is decided, and an MLP whose width is."""
    mixer = choose(
        "mixer",
        pool=op(Pooling, kernel=3),
        conv=op(SepConv, kernel=choose("kernel", 3, 5)),
        attention=op(Attention, head=8),
    )
    return chain(residual(op(Norm), mixer), residual(op(Norm), op(MLP, ratio=choose("ratio", 2, 3))))


def space(input: tuple[int, int, int] = (1, 8, 8), classes: int = 10, width: int = 16) -> Space:
    """A stem, one to three blocks, a classifier.

    width: channels of all blocks
    """
    return Space(
        "mine",
        input=input,
        network=chain(
            stem=op(ConvNorm, width=width, kernel=3, stride=2),
            blocks=repeat(block(), choose("depth", 1, 2, 3)),
            head=op(Classifier, classes=classes),
        ),
    )
