"""Shapes come from running layers on the meta device, and what does not fit is told with its place."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nasengine.errors import SpaceError
from nasengine.interpreters.shape import layer_facts, trace, width
from nasengine.layers import Attention, AuxiliaryHead, Classifier, ConvNorm, Identity, MaxPool
from nasengine.space import (
    EVERYTHING,
    Architecture,
    Node,
    Space,
    add,
    aside,
    chain,
    choose,
    concat,
    network,
    op,
    reads,
    residual,
)

NONE = Architecture({})


def conv(width: Any = 8, stride: int = 1) -> Node:
    return op(ConvNorm, width=width, kernel=3, stride=stride)


def shape(node: Node, picks: Any = EVERYTHING, size: tuple[int, ...] = (3, 9, 7)) -> tuple[int, ...]:
    return trace(Space("tried", size, node), picks)[1]


def test_the_shape_that_leaves() -> None:
    assert shape(chain(conv(stride=2), op(MaxPool, stride=2))) == (8, 3, 2)
    assert shape(chain(conv(), op(Classifier, classes=5))) == (5,)
    assert shape(network(a=conv(8), b=reads("input", conv(4)), c=reads("a", "b", concat()))) == (12, 9, 7)
    assert shape(conv(choose("width", 8, 16))) == (16, 9, 7)
    assert shape(op(ConvNorm, width=4), size=(6, 1, 1)) == (4, 1, 1)


class Both(nn.Module):
    """Reads two values."""

    def __init__(self, channels: tuple[int, int]):
        super().__init__()
        self.conv = nn.Conv2d(sum(channels), 5, 1)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.conv(torch.cat([x, y], 1))


def test_a_layer_of_several_values_gets_all_widths() -> None:
    assert shape(network(a=conv(8), b=reads("input", "a", op(Both)))) == (5, 9, 7)
    assert (width([(3, 9, 7)]), width([(3, 9, 7), (8, 9, 7)])) == (3, (3, 8))


def test_every_layer_is_met_with_place_settings_and_input() -> None:
    node = chain(
        stem=conv(), body=residual(choose("m", a=conv(), b=op(MaxPool))), x=aside("help", op(Classifier, classes=2))
    )
    space = Space("tried", (3, 9, 7), node)
    shapes, _ = trace(space, Architecture({"body.m": ("b",)}))
    assert {place: (layer, inputs) for place, (layer, _, inputs) in shapes.layers.items()} == {
        "stem": (ConvNorm, ((3, 9, 7),)),
        "body.body.0.b": (MaxPool, ((8, 9, 7),)),
    }
    assert shapes.layers["stem"][1] == {"width": 8, "kernel": 3, "stride": 1}
    assert "x.help" in trace(space, EVERYTHING, asides=True)[0].layers


def test_facts_of_a_layer() -> None:
    facts = layer_facts("here", ConvNorm, {"width": 8, "kernel": 3}, [(3, 9, 7)])
    assert facts.output == (8, 9, 7)
    assert facts.params == facts.trainable == 3 * 8 * 9 + 16
    assert facts.macs == 9 * 7 * 8 * 3 * 9
    assert facts.tensors["conv.weight"] == (8, 3, 3, 3) and facts.tensors["norm.running_mean"] == (8,)
    assert layer_facts("there", ConvNorm, {"kernel": 3, "width": 8}, [(3, 9, 7)]) is facts


ERRORS: dict[str, tuple[Node, str]] = {
    "a sum": (
        chain(body=residual(conv(8))),
        r"body: a sum of unequal shapes .*\(3, 9, 7\), \(8, 9, 7\).*bring them to one width and size",
    ),
    "a named sum": (
        network(a=conv(3, stride=2), b=reads("input", "a", add())),
        r"b: a sum of unequal shapes .*\(3, 5, 4\), \(3, 9, 7\)",
    ),
    "a concatenation": (
        network(a=conv(stride=2), b=reads("input", "a", concat())),
        r"b: concatenated values differ in size .*\(5, 4\), \(9, 7\)",
    ),
    "options": (
        chain(body=choose("m", a=conv(8), b=op(Identity))),
        r"decision 'body.m': its options give unequal shapes .*'a': \(8, 9, 7\), 'b': \(3, 9, 7\)",
    ),
    "a layer that cannot": (
        chain(mix=op(Attention, head=2)),
        r"mix: layer Attention\(head=2\) fails on an input of .*\(3, 9, 7\): ValueError: .*change its settings",
    ),
    "a layer after a flat one": (
        chain(head=op(Classifier, classes=4), late=op(MaxPool)),
        r"late: layer MaxPool\(\) fails on an input of .*\(4,\)",
    ),
    "a setting that is none": (chain(a=op(MaxPool, size=3)), r"a: layer MaxPool\(size=3\) fails .*TypeError"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors_teach(case: str) -> None:
    node, words = ERRORS[case]
    with pytest.raises(SpaceError, match=words):
        shape(node)


def test_nothing_that_reaches_the_output_is_an_error() -> None:
    node = choose("m", keep=(0, 1), a=conv())
    with pytest.raises(SpaceError, match="space tried: with these picks nothing leads from the input to the output"):
        shape(node, Architecture({"m": ()}))


def test_an_aside_that_fails_names_itself() -> None:
    space = Space(
        "tried", (3, 9, 7), chain(conv(), aside("help", chain(op(Classifier, classes=3), op(AuxiliaryHead, classes=3))))
    )
    with pytest.raises(SpaceError, match=r"1\.help\.1: layer AuxiliaryHead"):
        trace(space, NONE, asides=True)
    assert trace(space, NONE)[1] == (8, 9, 7)
