"""The native depthwise convolution against torch's own, on every kind of shape."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from nasengine.native.build import library
from nasengine.native.depthwise import depthwise, takes
from tests.native.conftest import difference

SETTINGS = [(kernel, stride, dilation) for kernel in (3, 5) for stride in (1, 2) for dilation in (1, 2)]
SIZES = [(1, 3, 1, 7, 7), (2, 8, 2, 8, 8), (3, 12, 5, 5, 9), (2, 16, 3, 11, 6), (1, 20, 2, 33, 4), (5, 32, 4, 2, 2)]


@pytest.fixture(autouse=True)
def compiled(needs: Callable[[str], Path]) -> None:
    needs("compiler")
    assert library("depthwise") is not None


def plain(x: Tensor, weight: Tensor, stride: int, dilation: int, relu: bool) -> Tensor:
    read = (x.relu() if relu else x).repeat(1, len(weight) // x.shape[1], 1, 1)
    return functional.conv2d(read, weight, None, stride, dilation * (weight.shape[-1] // 2), dilation, len(weight))


def drawn(batch: int, channels: int, members: int, height: int, width: int, kernel: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(batch + 10 * channels + 100 * kernel)
    x = torch.randn(batch, channels, height, width, generator=generator).to(memory_format=torch.channels_last)
    return x, torch.randn(members * channels, 1, kernel, kernel, generator=generator)


def cases() -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    yield from ((size, setting) for size in SIZES for setting in SETTINGS)
    yield (2, 16, 2, 3, 3), (7, 1, 1)
    yield (2, 5, 2, 9, 8), (1, 2, 1)
    yield (2, 64, 1, 6, 7), (3, 3, 2)
    yield (70, 16, 5, 12, 12), (5, 1, 2)  # more images than fit beside each other


@pytest.mark.parametrize("relu", [False, True])
def test_result_and_gradients_are_those_of_torch(relu: bool) -> None:
    worst = {}
    for size, (kernel, stride, dilation) in cases():
        x, weight = (tensor.requires_grad_() for tensor in drawn(*size, kernel))
        made = depthwise(x, weight, stride, dilation, relu)
        exact = [tensor.detach().double().requires_grad_() for tensor in (x, weight)]
        wanted = plain(*exact, stride, dilation, relu)
        gradient = torch.randn(made.shape, generator=torch.Generator().manual_seed(1))
        found = torch.autograd.grad(made, (x, weight), gradient)
        right = torch.autograd.grad(wanted, exact, gradient.double())
        assert made.is_contiguous(memory_format=torch.channels_last)
        pairs = [(made, wanted), *zip(found, right, strict=True)]
        worst[size, kernel, stride, dilation] = max(difference(*pair) for pair in pairs)
    assert {case: error for case, error in worst.items() if not error <= 1e-5} == {}


@pytest.mark.parametrize("wanted", [(True, False), (False, True)])
def test_only_the_gradient_that_is_asked_for_is_computed(wanted: tuple[bool, bool]) -> None:
    tensors = [tensor.requires_grad_(needed) for tensor, needed in zip(drawn(2, 8, 2, 6, 6, 3), wanted, strict=True)]
    depthwise(*tensors, stride=2, relu=True).square().sum().backward()
    theirs = [tensor.detach().clone().requires_grad_(needed) for tensor, needed in zip(tensors, wanted, strict=True)]
    plain(*theirs, 2, 1, True).square().sum().backward()
    for ours, their in zip(tensors, theirs, strict=True):
        assert (ours.grad is None) == (their.grad is None)
        assert ours.grad is None or their.grad is None or difference(ours.grad, their.grad) <= 1e-5


def test_any_strides_are_read() -> None:
    x, weight = drawn(2, 6, 2, 9, 7, 3)
    apart = torch.stack([x, x], dim=-1)[..., 0].transpose(2, 3)
    assert difference(depthwise(apart, weight, relu=True), plain(apart, weight, 1, 1, True)) <= 1e-5
    assert difference(depthwise(x[:, ::3], weight[:4]), plain(x[:, ::3], weight[:4], 1, 1, False)) <= 1e-5


def test_what_is_not_a_number_stays_so() -> None:
    x, weight = drawn(1, 4, 1, 5, 5, 3)
    x[0, 2, 2, 2] = float("nan")
    made = depthwise(x, weight, relu=True)
    assert made[0, 2, 1:4, 1:4].isnan().all()
    assert made.isfinite().sum() == made.numel() - 9


def test_a_second_derivative_is_that_of_torch() -> None:
    second = []
    for convolve in (depthwise, plain):
        x, weight = (tensor.requires_grad_() for tensor in drawn(1, 4, 2, 5, 5, 3))
        (of_weight,) = torch.autograd.grad(convolve(x, weight, 1, 2, True).pow(3).sum(), weight, create_graph=True)
        second.append(torch.autograd.grad(of_weight.square().sum(), (x, weight)))
    assert max(map(difference, *second)) <= 1e-5


def test_convolutions_that_the_kernel_computes_are_known() -> None:
    def conv(channels: int = 4, kernel: Any = 5, padding: Any = 2, **words: Any) -> nn.Conv2d:
        return nn.Conv2d(4, channels, kernel, padding=padding, **{"groups": 4, "bias": False, **words})

    x = torch.randn(1, 4, 9, 9)
    for right in (conv(), conv(stride=2), conv(padding=4, dilation=2), conv(kernel=3, padding=1)):
        assert takes(right)
        settings = right.stride[0], right.dilation[0]
        assert difference(depthwise(x, right.weight, *settings), right(x)) <= 1e-5
    other = [
        conv(8),
        conv(groups=2),
        conv(bias=True),
        conv(padding=1),
        conv(padding="same"),
        conv(padding_mode="reflect"),
    ]
    other += [conv(kernel=4), conv(kernel=1, padding=0), conv(kernel=(1, 5), padding=(0, 2)), conv(stride=(1, 2))]
    other += [conv(dilation=(1, 2), padding=(2, 4)), conv(dilation=2)]
    assert [one for one in other if takes(one)] == []


@pytest.mark.parametrize("shape", [(7, 1, 3, 3), (8, 2, 3, 3), (8, 1, 3, 5), (8, 1, 4, 4), (2, 1, 3, 3)])
def test_weights_that_do_not_fit_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"image \(1, 4, 5, 5\) float32 on cpu; allowed are"):
        depthwise(torch.zeros(1, 4, 5, 5), torch.zeros(shape))


def test_rows_taken_in_parts_end_with_the_image() -> None:
    weight = torch.randn(16, 1, 5, 5, requires_grad=True)
    for images in (torch.randn(4, 16, 40, 40), torch.randn(2, 16, 32, 32)):  # the second finds numbers of the first
        slopes = torch.randn_like(images)
        (expected,) = torch.autograd.grad(functional.conv2d(images, weight, padding=2, groups=16), weight, slopes)
        (found,) = torch.autograd.grad(depthwise(images, weight), weight, slopes)
        assert torch.allclose(found, expected, rtol=1e-4, atol=1e-3)
