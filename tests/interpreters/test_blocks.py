"""Descriptions of blocks: which layers have one, and what makes two of them alike."""

import random

import pytest

from nasengine.interpreters.blocks import blocks
from nasengine.interpreters.model import Model
from nasengine.layers import Classifier, ConvNorm, Identity, MaxPool, SeparableConv
from nasengine.search_spaces import darts
from nasengine.space import Architecture, Space, chain, op


def one(network: object, size: int = 8) -> list[dict[str, float]]:
    space = Space("one", (1, size, size), network)  # type: ignore[arg-type]
    return [dict(block.features) for block in blocks(space, Architecture({}))]


def test_a_block_is_a_layer_with_parameters() -> None:
    space = darts.space(input=(1, 8, 8), channels=4, layers=3)
    architecture = space.sample(random.Random(0))
    model = Model(space, architecture)
    wanted = [place for place, layer in model.layers() if list(layer.parameters())]
    assert sorted(block.place for block in blocks(space, architecture)) == sorted(wanted)
    assert [features for features in one(chain(op(Identity), op(MaxPool, kernel=3)))] == []


def test_the_description_holds_layer_settings_widths_and_stage() -> None:
    stem, conv, head = one(
        chain(op(ConvNorm, width=7, stride=2), op(ConvNorm, width=15, kernel=3), op(Classifier, classes=3))
    )
    assert stem["layer nasengine.layers.convolution.ConvNorm"] == 1
    assert (stem["width in 0"], stem["width out"], stem["stride"]) == pytest.approx((0.1, 0.3, 0.1 * 1.584963))
    assert (conv["width in 0"], conv["width out"], conv["kernel"]) == pytest.approx((0.3, 0.4, 0.2))
    assert (stem["halvings"], conv["halvings"], head["halvings"]) == pytest.approx((0, 0.2, 0.2))
    assert stem["position"] < conv["position"] < head["position"] < 0.2
    (named,) = one(op(ConvNorm, width=7, affine=False))
    assert named["affine=False"] == 0.2


def test_equal_blocks_have_equal_descriptions_and_others_have_not() -> None:
    (plain,), (same,), (wider,), (other,) = (
        one(op(layer, **settings))
        for layer, settings in (
            (ConvNorm, {"width": 1, "kernel": 3}), (ConvNorm, {"width": 1, "kernel": 3}),
            (ConvNorm, {"width": 2, "kernel": 3}), (SeparableConv, {"kernel": 3}),
        )
    )  # fmt: skip
    assert plain == same != wider
    assert "layer nasengine.layers.convolution.ConvNorm" not in other
