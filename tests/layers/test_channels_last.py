"""Layers keep memory in the order it comes in: one that turns it around slows down every layer after it."""

import pytest
import torch
from torch import Tensor

from nasengine import layers
from nasengine.interpreters.shape import build
from tests.contracts.test_layers import SETTINGS

APART = {
    "PatchEmbedding": "its tokens stand in one column",
    "RandomMixing": "it mixes the positions of each channel, which it has to bring together",
    "TokenMLP": "it mixes the positions of each channel, which it has to bring together",
    "Truncate": "it looks at a part of the channels and copies nothing",
}
CHANNELS_LAST = torch.channels_last


def output(name: str) -> Tensor:
    """What a layer makes of channels-last maps, in training."""
    settings = dict(SETTINGS.get(name, {}))
    settings = {**{size: max(values) for size, values in settings.pop("sizes", {}).items()}, **settings}
    inputs = ((32, 8, 8),) * settings.pop("inputs", 1)
    module = build(getattr(layers, name), inputs, settings).to(memory_format=CHANNELS_LAST)
    made: Tensor = module(*(torch.randn(3, *shape).to(memory_format=CHANNELS_LAST) for shape in inputs))
    return made


@pytest.mark.parametrize("name", sorted({*layers.__all__} - {*APART}))
def test_maps_that_come_in_channels_last_go_out_so(name: str) -> None:
    made = output(name)
    assert made.dim() == 2 or made.is_contiguous(memory_format=CHANNELS_LAST)


@pytest.mark.parametrize("name", APART)
def test_layers_that_cannot_are_few(name: str) -> None:
    assert not output(name).is_contiguous(memory_format=CHANNELS_LAST)


@pytest.mark.parametrize("name", ["FactorizedReduce", "InceptionDepthwise", "PointwiseInTwo"])
def test_layers_that_reorder_channels_keep_torchs_usual_order_too(name: str) -> None:
    settings = {"width": 32} if name == "PointwiseInTwo" else {}
    assert getattr(layers, name)(32, **settings)(torch.randn(3, 32, 8, 8)).is_contiguous()
