"""Depthwise convolution of a bank of members in one pass over memory, on the CPU, in float32."""

import ctypes
import functools
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from nasengine.native.build import library
from nasengine.native.tensors import described, readable

_Setting = tuple[int, int, bool]  # stride, dilation, relu
_LAST = torch.channels_last


def takes(conv: nn.Conv2d) -> bool:
    """Return whether a convolution is one of those that `depthwise` computes.

    These have a kernel of their own for each channel, square, odd and above 1, the same stride and dilation both ways,
    zeros around the image that keep it centred, and no bias.
    """
    (kernel, other), (stride, across), (d, e) = conv.kernel_size, conv.stride, conv.dilation
    regular = kernel == other and kernel % 2 == 1 < kernel and stride == across and d == e
    centred = conv.padding == (d * (kernel // 2), d * (kernel // 2)) and conv.padding_mode == "zeros"
    return regular and centred and conv.groups == conv.in_channels == conv.out_channels and conv.bias is None


def depthwise(x: Tensor, weight: Tensor, stride: int = 1, dilation: int = 1, relu: bool = False) -> Tensor:
    """Convolve each channel of an image with one kernel of each member.

    x: (batch, channels, height, width), of any strides; `relu` rectifies it first
    weight: (members * channels, 1, kernel, kernel), member by member, with an odd kernel

    Returns (batch, members * channels, height / stride rounded up, width / stride rounded up) in channels-last memory,
    padded by dilation * (kernel - 1) / 2: what `conv2d` gives for the input repeated for each member, a group for each
    channel. Both arguments can be differentiated; a second time through torch's own operations. Ask
    `available(x, "depthwise")` first. Raises ValueError for weights that do not fit the image, and for what is not
    float32 on the CPU.
    """
    channels, kernel = x.shape[1], weight.shape[-1]
    members = max(weight.shape[0] // channels, 1)
    if weight.shape != (members * channels, 1, kernel, kernel) or kernel % 2 == 0 or not readable(x, weight):
        raise ValueError(
            f"depthwise: weights {described(weight)} for an image {described(x)}; allowed are weights of (members * "
            "channels, 1, kernel, kernel) with an odd kernel, and both in float32 on the CPU; reshape or move them"
        )
    made: Tensor = _Depthwise.apply(x, weight, (stride, dilation, relu))
    return made


class _Depthwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, setting: _Setting) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.setting = stride, dilation, relu = setting
        x, weight = x.contiguous(memory_format=_LAST), weight.contiguous()
        size = [(length - 1) // stride + 1 for length in x.shape[2:]]
        made = torch.empty(len(x), len(weight), *size, dtype=x.dtype, device=x.device, memory_format=_LAST)
        shape = _shape(*x.shape, *weight.shape[::3], stride, dilation)
        _kernels().depthwise_forward(shape, x.data_ptr(), weight.data_ptr(), made.data_ptr(), relu)
        return made

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        if torch.is_grad_enabled():  # somebody wants the gradient's own gradient
            return *_differentiable_gradients(x, weight, ctx.setting, gradient, ctx.needs_input_grad), None
        return *_gradients(x, weight, ctx.setting, gradient, ctx.needs_input_grad), None


def _gradients(
    x: Tensor, weight: Tensor, setting: _Setting, gradient: Tensor, needs: tuple[bool, ...]
) -> tuple[Tensor | None, Tensor | None]:
    stride, dilation, relu = setting
    x, gradient = x.contiguous(memory_format=_LAST), gradient.contiguous(memory_format=_LAST)
    weight = weight.contiguous()
    of_x, of_weight = (torch.empty_like(of) if needed else None for of, needed in zip((x, weight), needs, strict=False))
    pointers = [None if tensor is None else tensor.data_ptr() for tensor in (x, weight, gradient, of_x, of_weight)]
    _kernels().depthwise_backward(_shape(*x.shape, *weight.shape[::3], stride, dilation), *pointers, relu)
    return of_x, of_weight


def _differentiable_gradients(
    x: Tensor, weight: Tensor, setting: _Setting, gradient: Tensor, needs: tuple[bool, ...]
) -> list[Tensor | None]:
    stride, dilation, relu = setting
    read = (functional.relu(x) if relu else x).repeat(1, len(weight) // x.shape[1], 1, 1)
    padding = dilation * (weight.shape[-1] // 2)
    made = functional.conv2d(read, weight, None, stride, padding, dilation, len(weight))
    needed = [of for of, needs_it in zip((x, weight), needs, strict=False) if needs_it]
    found = iter(torch.autograd.grad(made, needed, gradient, create_graph=True))
    return [next(found) if needs_it else None for needs_it in needs[:2]]


@functools.lru_cache(maxsize=4096)
def _shape(
    batch: int, channels: int, height: int, width: int, bank: int, kernel: int, stride: int, dilation: int
) -> ctypes.Array[ctypes.c_ssize_t]:
    """Return the kernels' `Shape`; `bank` is the number of members times the channels."""
    return (ctypes.c_ssize_t * 8)(batch, channels, bank // channels, height, width, kernel, stride, dilation)


@functools.cache
def _kernels() -> ctypes.CDLL:
    kernels = library("depthwise")
    assert kernels is not None, "ask available() first"
    pointer = ctypes.c_void_p
    kernels.depthwise_forward.argtypes = [*[pointer] * 4, ctypes.c_int]
    kernels.depthwise_backward.argtypes = [*[pointer] * 6, ctypes.c_int]
    kernels.depthwise_forward.restype = kernels.depthwise_backward.restype = None
    return kernels
