"""How a network runs while it learns: in which precision, and how much of it is dropped."""

import contextlib
from typing import Any

import torch
from torch import nn


def autocast_for(precision: str, device: torch.device) -> contextlib.AbstractContextManager[Any]:
    """Return what a forward runs within: `recipe.precision` "auto" is bfloat16 on NVIDIA's GPUs, float32 elsewhere."""
    if precision == "bfloat16" or (precision == "auto" and device.type == "cuda"):
        return torch.autocast(device.type, torch.bfloat16)
    return contextlib.nullcontext()


def set_drop_rate(model: nn.Module, rate: float) -> None:
    """Give all layers that drop paths one rate, 0 to 1."""
    for module in model.modules():
        if (setter := getattr(module, "set_drop_rate", None)) is not None:
            setter(rate)
