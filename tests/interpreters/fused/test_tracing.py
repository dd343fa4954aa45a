"""A layer is tried on no numbers, and nothing of that stays; what chance or a count decides is not known."""

import random
from collections.abc import Callable
from typing import Any

import numpy
import pytest
import torch
from torch import Tensor, nn

from nasengine.interpreters.fused.network import Fused
from nasengine.interpreters.fused.tracing import Unknown, traced
from nasengine.layers import Classifier, ConvNorm, DropPath, Identity
from nasengine.space import Space, chain, choose, op
from tests.interpreters.fused.both import differences, made, with_all


class Restless(nn.Module):
    """A layer that does not do the same each time."""

    kind = "conv"
    decide: Callable[[Any], bool] = staticmethod(lambda layer: False)

    def __init__(self, channels: int):
        super().__init__()
        self.count = 0
        self.register_buffer("seen", torch.zeros(()))
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return x if self.decide() else self.norm(x)


def counted(layer: Any) -> bool:
    layer.count += 1
    return bool(layer.count > 2)


@pytest.mark.parametrize(
    "decide",
    [
        lambda layer: layer.training and random.random() < 0.5,
        lambda layer: torch.rand(()).item() < 0.5,
        lambda layer: numpy.random.rand() < 0.5,
        lambda layer: layer.seen.item() > 0,
        counted,
    ],
)  # fmt: skip
def test_what_chance_decides_is_not_known(decide: Callable[[Any], bool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Restless, "decide", decide)
    layer = Restless(4).eval()
    layer.norm.train()
    states = random.getstate(), torch.get_rng_state(), repr(numpy.random.get_state())
    with pytest.raises(Unknown):
        traced(layer, True)
    assert (layer.count, layer.training, layer.norm.training) == (0, False, True)
    assert random.getstate() == states[0] and repr(numpy.random.get_state()) == states[2]
    assert torch.equal(torch.get_rng_state(), states[1])


class Dropping(nn.Module):
    """A user's layer that drops paths at a rate which the search sets."""

    kind = "conv"

    def __init__(self, channels: int):
        super().__init__()
        self.norm, self.drop = nn.BatchNorm2d(channels), DropPath(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.drop(self.norm(x))


def model_of(layer: type) -> Any:
    body = chain(op(ConvNorm, width=4), choose("op", one=op(layer), two=op(Identity)), op(Classifier, classes=3))
    return made(Space("own", (3, 6, 6), body))


def test_paths_that_are_dropped_inside_a_layer() -> None:
    def rate(model: nn.Module) -> None:
        for module in model.modules():
            if isinstance(module, DropPath):
                module.set_drop_rate(0.5)

    model = model_of(Dropping)
    assert not differences(model, with_all(model.space), prepare=rate)
    assert Fused(model).apart == {"Dropping": "it draws random numbers in training"}


class Plain(ConvNorm):
    """A convolution and a norm that keep the width."""

    def __init__(self, channels: int):
        super().__init__(channels, channels)


def test_hooks_are_heard() -> None:
    model = model_of(Plain)
    heard: list[Any] = []
    (layer,) = (one for place, one in model.layers() if place.endswith("one"))
    layer.norm.register_forward_hook(lambda *_: heard.append(1))
    Fused(model)(torch.randn(4, 3, 6, 6).double(), with_all(model.space))
    assert heard == [1] and Fused(model).apart == {"Plain": "it has hooks"}
    other = model_of(Plain)
    nn.utils.spectral_norm(next(one for place, one in other.layers() if place.endswith("one")).conv)
    assert not differences(other, with_all(other.space))


def test_norms_that_are_frozen_stay_so() -> None:
    def freeze(model: Any) -> None:
        (layer,) = (one for place, one in model.layers() if place.endswith("one"))
        layer.norm.eval()

    model = model_of(Plain)
    assert not differences(model, with_all(model.space), prepare=freeze)
    freeze(model)
    assert not differences(model, with_all(model.space))
    Fused(model)
    assert [norm.training for norm in model.modules() if isinstance(norm, nn.BatchNorm2d)].count(False) == 1


def test_momentum_that_changes() -> None:
    def slow(model: nn.Module) -> None:
        for norm in model.modules():
            if isinstance(norm, nn.BatchNorm2d):
                norm.momentum = 0.01

    model = model_of(Plain)
    assert not differences(model, with_all(model.space), prepare=slow)
