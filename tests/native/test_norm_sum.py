"""The native sum of batch norms against torch's own, on every kind of shape."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from nasengine.native.build import library
from nasengine.native.norm_sum import norm_sum, quicker
from tests.native.conftest import difference

SIZES = [
    (1, 3, 7, 5), (2, 8, 8, 8), (3, 12, 5, 9), (2, 16, 32, 32), (1, 20, 3, 7), (5, 32, 2, 2), (4, 64, 6, 6),
    (4, 5, 1, 1), (1, 257, 3, 3), (2, 1, 40, 61),
]  # fmt: skip


@pytest.fixture(autouse=True)
def compiled(needs: Callable[[str], Path]) -> None:
    needs("compiler")
    assert library("norm_sum") is not None


def plain(
    values: Sequence[Tensor], weights: Sequence[Tensor | None], biases: Sequence[Tensor | None], eps: float = 1e-5
) -> Tensor:
    parts = zip(values, weights, biases, strict=True)
    norms = [functional.batch_norm(value, None, None, *affine, True, 0.0, eps) for value, *affine in parts]
    return torch.stack(norms).sum(0)


def drawn(size: tuple[int, ...], count: int, seed: int = 0) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """Values away from zero, so that a careless variance shows."""
    generator = torch.Generator().manual_seed(seed)
    values = [torch.randn(size, generator=generator) + 3 * index for index in range(count)]
    weights, biases = (torch.randn(count, size[1], generator=generator).unbind() for _ in range(2))
    return [value.to(memory_format=torch.channels_last) for value in values], list(weights), list(biases)


def doubled(tensors: Sequence[Tensor | None]) -> list[Tensor | None]:
    return [tensor if tensor is None else tensor.detach().double().requires_grad_() for tensor in tensors]


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_sum_statistics_and_gradients_are_those_of_torch(count: int) -> None:
    worst = {}
    for size in SIZES:
        values, weights, biases = ([one.requires_grad_() for one in three] for three in drawn(size, count))
        made, means, variances = norm_sum(values, weights, biases, 1e-3)
        exact = [doubled(three) for three in (values, weights, biases)]
        wanted = plain(*exact, 1e-3)
        gradient = torch.randn(size, generator=torch.Generator().manual_seed(1))
        found = torch.autograd.grad(made, [*values, *weights, *biases], gradient)
        right = torch.autograd.grad(wanted, [one for three in exact for one in three], gradient.double())
        scales = [max(float(one.abs().max()) for one in right[:end]) for end in (count, 3 * count)]
        errors = [  # those of weights and biases are sums over all pixels
            float((ours - theirs).abs().max()) / scales[index >= count]
            for index, (ours, theirs) in enumerate(zip(found, right, strict=True))
        ]
        assert made.is_contiguous(memory_format=torch.channels_last)
        stacked = torch.stack([value.double() for value in values])
        errors += [difference(made, wanted), difference(means, stacked.mean((1, 3, 4)))]
        errors += [difference(variances, stacked.var((1, 3, 4), correction=0))]
        worst[size] = max(errors)
    assert {size: error for size, error in worst.items() if not error <= 1e-5} == {}


def test_the_variance_of_numbers_far_from_zero_is_right() -> None:
    values, _, _ = drawn((8, 16, 24, 24), 1)
    _, means, variances = norm_sum([values[0] + 3000], [None], [None])
    far = (values[0] + 3000).double()
    assert difference(means[0], far.mean((0, 2, 3))) <= 1e-6
    assert difference(variances[0], far.var((0, 2, 3), correction=0)) <= 1e-5


def test_channels_of_a_larger_tensor_are_read_where_they_lie() -> None:
    banks, weights, biases = drawn((2, 12, 6, 5), 2)
    banks = [bank.requires_grad_() for bank in banks]
    values = [bank[:, first : first + 4] for bank in banks for first in (0, 4, 8)]
    parts = [one[first : first + 4] for one in weights for first in (0, 4, 8)]
    nothing = [None] * 6
    made, _, _ = norm_sum(values, parts, nothing)
    wanted = plain(values, parts, nothing)
    gradient = torch.randn_like(made)
    found, right = (torch.autograd.grad(one, banks, gradient) for one in (made, wanted))
    assert max(difference(made, wanted), *map(difference, found, right)) <= 1e-5


def test_only_the_gradients_that_are_asked_for_are_computed() -> None:
    values, weights, biases = drawn((2, 6, 5, 5), 3)
    given = [values[0].requires_grad_(), *values[1:], weights[0], weights[1].requires_grad_(), None, biases[0], None]
    given.append(biases[2].requires_grad_())
    norm_sum(given[:3], given[3:6], given[6:])[0].square().sum().backward()
    theirs = [one if one is None else one.detach().clone().requires_grad_(one.requires_grad) for one in given]
    plain(theirs[:3], theirs[3:6], theirs[6:]).square().sum().backward()
    for ours, their in zip(given, theirs, strict=True):
        if ours is not None:
            assert (ours.grad is None) == (their.grad is None) == (not ours.requires_grad)
            assert ours.grad is None or difference(ours.grad, their.grad) <= 1e-5


def test_a_second_derivative_is_that_of_torch() -> None:
    def mixed(add: Callable[..., Tensor]) -> tuple[Tensor, ...]:
        values, weights, _ = ([one.requires_grad_() for one in three] for three in drawn((2, 3, 4, 4), 2))
        made = add(values, weights, [None, None])
        of_weights = torch.autograd.grad(made.pow(3).sum(), weights, create_graph=True)
        return torch.autograd.grad(sum(one.square().sum() for one in of_weights), (*values, *weights))

    ours = mixed(lambda *three: norm_sum(*three)[0])
    assert max(map(difference, ours, mixed(plain))) <= 1e-5


def test_what_torch_does_better_is_left_to_it() -> None:
    assert [quicker(count, 2048) for count in (1, 2, 4)] == [False, False, True]
    assert [quicker(1, 8 * images * 64) for images in (16, 64)] == [False, True]


def test_shapes_that_do_not_fit_are_refused() -> None:
    x = torch.zeros(1, 2, 3, 3)
    wrong = [([x, x[..., :2]], 2, []), ([x], 2, []), ([x], 1, [torch.zeros(3)])]
    for values, number, biases in wrong:
        with pytest.raises(ValueError, match="allowed are values of one shape"):
            norm_sum(values, [None] * number, biases or [None] * number)
