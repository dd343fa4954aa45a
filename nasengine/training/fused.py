"""torch's fused SGD and AdamW, one call for all weights, kept from what they do not stand."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

_DEVICES = ("cpu", "cuda")


def fuses(weights: Iterable[Tensor]) -> bool:
    """Whether all weights are of a kind and on a device that torch's fused steps work on."""
    return all(weight.is_floating_point() and weight.device.type in _DEVICES for weight in weights)


def guard(optimizer: torch.optim.Optimizer) -> None:
    """Make each fused step right where gradients differ in their order in memory, or come to some weights later.

    The fused steps walk through memory without a look at strides, and take momenta for all weights or for none. An
    optimizer that goes on from a record of steps that were not fused keeps to these.
    """
    optimizer.register_step_pre_hook(_prepare)
    optimizer.register_load_state_dict_post_hook(_align_state)


@torch.no_grad()
def _prepare(optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
    for group in optimizer.param_groups:
        learning = [weight for weight in group["params"] if weight.grad is not None] if group["fused"] else []
        for weight in learning:
            if weight.grad.stride() != weight.stride():
                weight.grad = _aligned(weight.grad, weight)
            if group.get("momentum") and optimizer.state[weight].get("momentum_buffer") is None:
                optimizer.state[weight]["momentum_buffer"] = torch.zeros_like(weight)


def _align_state(optimizer: torch.optim.Optimizer) -> None:
    for weight, state in optimizer.state.items():
        state |= {
            name: _aligned(value, weight)
            for name, value in state.items()
            if isinstance(value, Tensor) and value.shape == weight.shape and value.stride() != weight.stride()
        }


def _aligned(value: Tensor, weight: Tensor) -> Tensor:
    """The same numbers in the weight's order in memory."""
    return torch.empty_like(weight, requires_grad=False).copy_(value)
