"""Fused steps are torch's plain ones, whatever the gradients' order in memory and whenever they come."""

import pytest
import torch
from torch import Tensor, nn

from nasengine.training.fused import fuses
from nasengine.training.optimizers import build
from nasengine.training.recipe import Recipe

RECIPES = [
    Recipe(optimizer="sgd", lr=0.1, weight_decay=0.1),
    Recipe(optimizer="sgd", lr=0.1, nesterov=True, clip=0),
    Recipe(optimizer="sgd", lr=0.1, momentum=0.0),
    Recipe(optimizer="adamw", lr=0.1, weight_decay=0.1),
    Recipe(optimizer="adamw", lr=0.1, acceleration="win2"),
]


def weights(dtype: torch.dtype) -> list[nn.Parameter]:
    values = torch.arange(24, dtype=dtype).reshape(2, 3, 2, 2) / 24
    return [nn.Parameter(values.to(memory_format=torch.channels_last)), nn.Parameter(torch.ones(3, dtype=dtype))]


def steps(optimizer: torch.optim.Optimizer, some: list[nn.Parameter], numbers: range) -> None:
    """Gradients in torch's usual order for the first; the second one learns from the second step on."""
    for number in numbers:
        some[0].grad = torch.linspace(-1, number, 24, dtype=some[0].dtype).reshape(2, 3, 2, 2)
        some[1].grad = torch.linspace(-1, number, 3, dtype=some[0].dtype) if number else None
        optimizer.step()


def unfused(recipe: Recipe, some: list[nn.Parameter]) -> torch.optim.Optimizer:
    optimizer = build(recipe, some)
    for group in optimizer.param_groups:
        group["fused"] = False
    return optimizer


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize(("dtype", "near"), [(torch.float64, 1e-12), (torch.float32, 1e-6)])
def test_they_agree_with_the_plain_ones(recipe: Recipe, dtype: torch.dtype, near: float) -> None:
    plain, fused = weights(dtype), weights(dtype)
    steps(unfused(recipe, plain), plain, range(4))
    steps(build(recipe, fused), fused, range(4))
    for one, other in zip(plain, fused, strict=True):
        assert torch.allclose(one, other, rtol=near, atol=near)


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("began", [build, unfused])
def test_they_go_on_from_either_record(recipe: Recipe, began: object) -> None:
    whole, parted, later = weights(torch.float64), weights(torch.float64), weights(torch.float64)
    steps(build(recipe, whole), whole, range(4))
    first = began(recipe, parted)  # type: ignore[operator]
    steps(first, parted, range(2))
    second = build(recipe, later)
    second.load_state_dict(first.state_dict())
    assert second.param_groups[0]["fused"] == (began is build)
    for one, other in zip(later, parted, strict=True):
        one.data.copy_(other.data)
    steps(second, later, range(2, 4))
    for one, other in zip(whole, later, strict=True):
        assert torch.allclose(one, other, rtol=1e-12, atol=1e-12)


def test_a_record_in_another_order_in_memory_is_brought_into_the_weights() -> None:
    some: list[nn.Parameter] = weights(torch.float32)
    first = build(RECIPES[0], some)
    steps(first, some, range(2))
    record = first.state_dict()
    was: Tensor = record["state"][0]["momentum_buffer"]
    record["state"][0]["momentum_buffer"] = was.contiguous()
    second = build(RECIPES[0], some)
    second.load_state_dict(record)
    now = second.state[some[0]]["momentum_buffer"]
    assert now.stride() == some[0].stride() and torch.equal(now, was)


def test_other_devices_and_types_are_left_to_the_plain_ones() -> None:
    assert fuses([torch.zeros(1)]) and not fuses([torch.zeros(1), torch.zeros(1, device="meta")])
    assert not fuses([torch.zeros(1, dtype=torch.int64)])
    assert not build(RECIPES[0], [torch.zeros(1, device="meta", requires_grad=True)]).defaults["fused"]
