"""Depthwise convolutions in the native kernel, for as long as a network learns on a CPU."""

import contextlib
import functools
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from nasengine.native.depthwise import available, depthwise


@contextlib.contextmanager
def natively(model: nn.Module) -> Iterator[None]:
    """Run each depthwise convolution that gains by it in the native kernel; the same up to rounding.

    These are the dilated ones and those of kernels above 3, whose backward pass is slow in torch. What the kernel does
    not take (other types than float32, other devices, autocast), torch runs as ever. Weights and names stay.
    """
    gaining = [module for module in model.modules() if isinstance(module, nn.Conv2d) and _gains(module)]
    for conv in gaining:
        conv.forward = functools.partial(_run, conv)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for conv in gaining:
            del conv.forward


def _gains(conv: nn.Conv2d) -> bool:
    (kernel, other), (stride, across), (d, e) = conv.kernel_size, conv.stride, conv.dilation
    regular = kernel == other and kernel % 2 == 1 and stride == across and d == e and conv.padding_mode == "zeros"
    centred = conv.padding == (d * (kernel // 2), d * (kernel // 2))
    alone = conv.groups == conv.in_channels == conv.out_channels and conv.bias is None
    plain = type(conv) is nn.Conv2d and "forward" not in vars(conv)
    return plain and alone and regular and centred and (kernel > 3 or d > 1 < kernel)


def _run(conv: nn.Conv2d, x: Tensor) -> Tensor:
    if not available(x) or torch.is_autocast_enabled(x.device.type):
        return nn.Conv2d.forward(conv, x)
    return depthwise(x, conv.weight, conv.stride[0], conv.dilation[0])
