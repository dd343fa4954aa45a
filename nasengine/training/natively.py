"""Depthwise convolutions in the native kernel, for as long as a network learns on a CPU."""

import contextlib
import functools
from collections.abc import Iterator

from torch import Tensor, nn

from nasengine.native.depthwise import depthwise, takes
from nasengine.native.tensors import available


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
    plain = type(conv) is nn.Conv2d and "forward" not in vars(conv)
    return plain and takes(conv) and (conv.kernel_size[0] > 3 or conv.dilation[0] > 1)


def _run(conv: nn.Conv2d, x: Tensor) -> Tensor:
    if not available(x, "depthwise"):
        return nn.Conv2d.forward(conv, x)
    return depthwise(x, conv.weight, conv.stride[0], conv.dilation[0])
