"""The native 1x1 convolution against torch's own, on every kind of shape."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from nasengine.native.build import library
from nasengine.native.pointwise import pointwise, quicker
from tests.native.conftest import difference

CHANNELS = [(3, 7), (8, 8), (12, 20), (16, 16), (20, 3), (32, 12), (64, 33), (5, 64)]
IMAGES = [(1, 7, 5), (3, 8, 8), (2, 33, 4)]
MANY = [(9, 2, 16, 16, 12, 12), (2, 5, 64, 64, 9, 11)]  # more pixels than are taken at a time


@pytest.fixture(autouse=True)
def compiled(needs: Callable[[str], Path]) -> None:
    needs("compiler")
    assert library("pointwise") is not None


def plain(x: Tensor, weight: Tensor, members: int) -> Tensor:
    return functional.conv2d(x, weight, groups=x.shape[1] // weight.shape[1])


def drawn(
    batch: int, members: int, channels: int, outputs: int, height: int, width: int, shared: bool = False
) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(batch + 10 * channels + 100 * outputs)
    x = torch.randn(batch, channels if shared else members * channels, height, width, generator=generator)
    weight = torch.randn(members * outputs, channels, 1, 1, generator=generator)
    return x.to(memory_format=torch.channels_last), weight


def cases() -> Iterator[tuple[int, ...]]:
    for (batch, height, width), members in zip(IMAGES, (2, 5, 1), strict=True):
        yield from ((batch, members, channels, outputs, height, width) for channels, outputs in CHANNELS)
    yield from MANY


@pytest.mark.parametrize("shared", [False, True])
def test_result_and_gradients_are_those_of_torch(shared: bool) -> None:
    worst = {}
    for case in cases():
        x, weight = (tensor.requires_grad_() for tensor in drawn(*case, shared))
        made = pointwise(x, weight, case[1])
        exact = [tensor.detach().double().requires_grad_() for tensor in (x, weight)]
        wanted = plain(*exact, case[1])
        gradient = torch.randn(made.shape, generator=torch.Generator().manual_seed(1))
        found = torch.autograd.grad(made, (x, weight), gradient)
        right = torch.autograd.grad(wanted, exact, gradient.double())
        assert made.is_contiguous(memory_format=torch.channels_last)
        worst[case] = max(difference(*pair) for pair in [(made, wanted), *zip(found, right, strict=True)])
    assert {case: error for case, error in worst.items() if not error <= 1e-5} == {}


@pytest.mark.parametrize("wanted", [(True, False), (False, True)])
def test_only_the_gradient_that_is_asked_for_is_computed(wanted: tuple[bool, bool]) -> None:
    given = drawn(2, 2, 8, 12, 6, 6)
    tensors = [tensor.requires_grad_(needed) for tensor, needed in zip(given, wanted, strict=True)]
    pointwise(*tensors, 2).square().sum().backward()
    theirs = [tensor.detach().clone().requires_grad_(needed) for tensor, needed in zip(tensors, wanted, strict=True)]
    plain(*theirs, 2).square().sum().backward()
    for ours, their in zip(tensors, theirs, strict=True):
        assert (ours.grad is None) == (their.grad is None)
        assert ours.grad is None or their.grad is None or difference(ours.grad, their.grad) <= 1e-5


def test_any_strides_are_read() -> None:
    x, weight = drawn(2, 2, 6, 4, 9, 7)
    apart = torch.stack([x, x], dim=-1)[..., 0].transpose(2, 3)
    assert difference(pointwise(apart, weight, 2), plain(apart, weight, 2)) <= 1e-5
    assert difference(pointwise(x[:, 3:9], weight, 2), plain(x[:, 3:9], weight, 2)) <= 1e-5


def test_what_is_not_a_number_stays_so() -> None:
    x, weight = drawn(1, 2, 8, 8, 3, 3)
    x[0, 9, 1, 1] = float("nan")
    made = pointwise(x, weight, 2)
    assert made[0, 8:, 1, 1].isnan().all()
    assert made.isfinite().sum() == made.numel() - 8


def test_a_second_derivative_is_that_of_torch() -> None:
    second = []
    for convolve in (pointwise, plain):
        x, weight = (tensor.requires_grad_() for tensor in drawn(1, 2, 4, 3, 5, 5))
        (of_weight,) = torch.autograd.grad(convolve(x, weight, 2).pow(3).sum(), weight, create_graph=True)
        second.append(torch.autograd.grad(of_weight.square().sum(), (x, weight)))
    assert max(map(difference, *second)) <= 1e-5


def test_what_torch_does_better_is_left_to_it() -> None:
    assert quicker(16, 8)
    assert not quicker(12, 16)
    assert not quicker(16, 7)


@pytest.mark.parametrize("shape", [(6, 4, 3, 3), (7, 4, 1, 1), (8, 3, 1, 1), (8, 4), (0, 4, 1, 1), (8, 8, 1, 1)])
def test_weights_that_do_not_fit_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"image \(1, 4, 5, 5\) float32 on cpu; allowed are"):
        pointwise(torch.zeros(1, 4, 5, 5), torch.zeros(shape), 2)
