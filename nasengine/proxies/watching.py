"""Seeing and bypassing operations wherever they stand, in modules or as plain function calls."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

ACTIVATIONS = {
    torch.relu, torch.relu_, Tensor.relu, Tensor.relu_, functional.relu, functional.relu6, functional.hardtanh,
    functional.leaky_relu,
    functional.elu, functional.gelu, functional.silu, functional.mish, functional.hardswish,
}  # fmt: skip
"""What counts as an activation: it is on where what comes in is positive. Sigmoids and softmax are none."""
NORMS = {
    functional.batch_norm, functional.layer_norm, functional.group_norm, functional.instance_norm, functional.rms_norm,
    torch.batch_norm, torch.layer_norm, torch.group_norm, torch.instance_norm, torch.rms_norm,
}  # fmt: skip
CONVOLUTIONS = {functional.conv2d, functional.conv_transpose2d, torch.conv2d, torch.conv_transpose2d}
POOLINGS = {
    functional.avg_pool2d, functional.max_pool2d, functional.adaptive_avg_pool2d, functional.adaptive_max_pool2d,
    torch.max_pool2d,
}  # fmt: skip


class Watching(TorchFunctionMode):
    """Sees every operation that runs inside it on a tensor; those within one stay unseen."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        x = args[0] if args else kwargs.get("input")
        if isinstance(x, Tensor):
            self.before(func, x)
        output = func(*args, **kwargs)
        if isinstance(x, Tensor) and isinstance(output, Tensor):
            self.after(func, x, output)
        return output

    def before(self, function: Any, x: Tensor) -> None:
        """Told of an operation and of what comes into it, before it runs (it may work in place)."""

    def after(self, function: Any, x: Tensor, output: Tensor) -> None:
        """Told of an operation, of what came into it and what it made of that."""


class WithoutNorms(TorchFunctionMode):
    """Every norm gives out what came in."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in NORMS:
            return args[0] if args else kwargs["input"]
        return func(*args, **(kwargs or {}))


class LoneValues(TorchFunctionMode):
    """Batch norm in training mode of a single value per channel gives its shift, where torch refuses to run it."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is functional.batch_norm and _value(args, kwargs, 5, "training") and _alone(args[0]):
            zeros, shift = torch.zeros_like(args[0]), _value(args, kwargs, 4, "bias")
            return zeros if shift is None else zeros + shift.view_as(zeros)
        return func(*args, **kwargs)


def _value(args: Any, kwargs: Any, position: int, name: str) -> Any:
    return args[position] if len(args) > position else kwargs.get(name)


def _alone(x: Tensor) -> bool:
    return x.numel() == x.shape[1]


class TwiceDifferentiable(TorchFunctionMode):
    """Hard sigmoids are written out: torch's own have no second derivatives."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is functional.hardsigmoid:
            return functional.relu6((args[0] if args else kwargs["input"]) + 3) / 6
        return func(*args, **kwargs)


class Signs(Watching):
    """Where the activations inside it are on: bool tensors (batch, units), one for each activation."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Tensor] = []

    def before(self, function: Any, x: Tensor) -> None:
        if function in ACTIVATIONS:
            self.found.append((x.detach() > 0).flatten(1))


class LastMap(Watching):
    """The last map (batch, channels, height, width) before a network pools or flattens it away; None without one."""

    def __init__(self) -> None:
        super().__init__()
        self.map: Tensor | None = None

    def after(self, function: Any, x: Tensor, output: Tensor) -> None:
        if x.dim() != 4 or output.dim() < 2 or len(output) != len(x):
            return
        if output.dim() == 4 and _pixels(output) > 1:
            self.map = None  # what was pooled before was a gate
        elif _pixels(x) > 1 and function not in CONVOLUTIONS or output.dim() < 4 and self.map is None:
            self.map = x


def _pixels(x: Tensor) -> int:
    return x.shape[2:].numel()
