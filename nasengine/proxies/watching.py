"""Seeing and bypassing operations wherever they stand, in modules or as plain function calls."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

ACTIVATIONS = {
    torch.relu, torch.relu_, Tensor.relu, Tensor.relu_, functional.relu, functional.relu6, functional.leaky_relu,
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
        if output.dim() < 4 or output.shape[2:].numel() == 1 < x.shape[2:].numel():
            self.map = x
