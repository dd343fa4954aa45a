"""Networks learn with the native kernel as with torch's convolutions, and are as before afterwards."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from nasengine.native import depthwise
from nasengine.native.build import library
from nasengine.training import natively as within
from nasengine.training.natively import natively


def network() -> nn.Sequential:
    torch.manual_seed(0)
    layers = [
        nn.Conv2d(8, 8, 5, padding=2, groups=8, bias=False),
        nn.Conv2d(8, 8, 3, 2, padding=2, dilation=2, groups=8, bias=False),
        nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False),
        nn.Conv2d(8, 8, 5, padding=2, groups=8),
        nn.Conv2d(8, 8, 5, padding=2, groups=4, bias=False),
        nn.Conv2d(8, 8, (1, 7), padding=(0, 3), groups=8, bias=False),
        nn.Conv2d(8, 8, 1, groups=8, dilation=2, bias=False),
    ]
    return nn.Sequential(*layers).to(memory_format=torch.channels_last)


@pytest.fixture
def calls(needs: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> list[Tensor]:
    """The images that the kernel was called with."""
    needs("compiler")
    assert library("depthwise") is not None
    seen: list[Tensor] = []
    run: Callable[..., Tensor] = depthwise.depthwise

    def counted(x: Tensor, *rest: object) -> Tensor:
        seen.append(x)
        return run(x, *rest)

    monkeypatch.setattr(within, "depthwise", counted)
    return seen


def slopes(model: nn.Module, images: Tensor) -> list[Tensor]:
    return list(torch.autograd.grad(model(images).square().sum(), list(model.parameters())))


def test_gradients_are_torchs_and_the_network_is_as_before(calls: list[Tensor]) -> None:
    model, images = network(), torch.randn(2, 8, 9, 9)
    wanted, names = slopes(model, images), list(model.state_dict())
    with natively(model):
        found = slopes(model, images)
    assert len(calls) == 2
    for one, other in zip(wanted, found, strict=True):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-4 * float(one.abs().max()))
    assert list(model.state_dict()) == names and not any("forward" in vars(layer) for layer in model)


def test_what_the_kernel_does_not_take_is_torchs(calls: list[Tensor]) -> None:
    model, images = network().double(), torch.randn(2, 8, 9, 9, dtype=torch.float64)
    wanted = model(images)
    with natively(model):
        assert torch.equal(model(images), wanted)
    with natively(model.float()), torch.autocast("cpu", torch.bfloat16):
        assert model(images.float()).dtype == torch.bfloat16
    assert not calls


def test_the_network_is_as_before_after_an_error() -> None:
    model = network()
    with pytest.raises(ZeroDivisionError), natively(model):
        raise ZeroDivisionError
    assert not any("forward" in vars(layer) for layer in model)
