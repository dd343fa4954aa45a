"""What a size changes is read off the network."""

from nasengine.interpreters.elastic import Elastic, elastic
from nasengine.layers import MLP, Classifier, ConvNorm, Resize, SepConv
from nasengine.space import Space, chain, choose, derived, op, repeat, residual


def test_kinds_come_from_the_weights_and_not_from_names() -> None:
    block = residual(op(SepConv, kernel=choose("a", 3, 7, 5)), op(MLP, ratio=choose("b", 2, 4)))
    stem = op(ConvNorm, width=choose("c", small=8, large=16), stride=choose("e", 1, 2))
    space = Space("odd names", (3, 16, 16), chain(
        resize=op(Resize, size=choose("f", 8, 16)),
        stem=stem,
        body=repeat(block, choose("d", 1, 3, 2)),
        last=op(ConvNorm, width=derived(lambda width: 2 * width, "stem.c")),
        head=op(Classifier, classes=2),
    ))  # fmt: skip
    assert elastic(space) == {
        "stem.c": Elastic("width", ("large", "small")),
        "body.d": Elastic("depth", ("3", "2", "1")),
        **{f"body.{i}.a": Elastic("kernel", ("7", "5", "3")) for i in range(3)},
        **{f"body.{i}.b": Elastic("width", ("4", "2")) for i in range(3)},
    }
