"""Grouped 1x1 convolution of a bank of members, on the CPU, in float32."""

import ctypes
import functools
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from nasengine.native.build import library
from nasengine.native.tensors import described, readable

_LAST = torch.channels_last


def quicker(channels: int, outputs: int) -> bool:
    """Return whether the kernel is quicker than torch for members of so many channels and outputs: multiples of 8."""
    return channels % 8 == outputs % 8 == 0


def pointwise(x: Tensor, weight: Tensor, members: int = 1) -> Tensor:
    """Mix the channels of each pixel, for each member with weights of its own.

    x: (batch, members * channels, height, width), member by member, of any strides; or (batch, channels, height,
    width), which all members share
    weight: (members * outputs, channels, 1, 1), member by member

    Returns (batch, members * outputs, height, width) in channels-last memory: what `conv2d` gives, with a group for
    each member or, where they share the image, with one. Both arguments can be differentiated; a second time through
    torch's own operations. Ask `available(x, "pointwise")` first, and `quicker` whether it pays. Raises ValueError for
    weights that do not fit the image, and for what is not float32 on the CPU.
    """
    channels = weight.shape[1] if weight.dim() == 4 else 0
    fits = weight.shape[2:] == (1, 1) and len(weight) % members == 0 and x.shape[1] in (channels, members * channels)
    if not fits or weight.numel() == 0 or not readable(x, weight):
        raise ValueError(
            f"pointwise: weights {described(weight)} for {members} members and an image {described(x)}; allowed are "
            "weights of (members * outputs, channels, 1, 1) for an image of channels or members * channels, and both "
            "in float32 on the CPU; reshape or move them"
        )
    made: Tensor = _Pointwise.apply(x, weight, x.shape[1] // channels)
    return made


class _Pointwise(torch.autograd.Function):
    """`groups` is 1 where the members share the image: it is one convolution with all of their outputs."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, groups: int) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.groups = groups
        x, weight = x.contiguous(memory_format=_LAST), weight.contiguous()
        batch, _, height, width = x.shape
        size = batch, len(weight), height, width
        made = torch.empty(size, dtype=x.dtype, device=x.device, memory_format=_LAST)
        shape = _shape(batch * height * width, groups, *weight.shape[:2])
        _kernels().pointwise_forward(shape, x.data_ptr(), weight.data_ptr(), made.data_ptr())
        return made

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        if torch.is_grad_enabled():  # somebody wants the gradient's own gradient
            return *_differentiable_gradients(x, weight, ctx.groups, gradient, ctx.needs_input_grad), None
        return *_gradients(x, weight, ctx.groups, gradient, ctx.needs_input_grad), None


def _gradients(
    x: Tensor, weight: Tensor, groups: int, gradient: Tensor, needs: tuple[bool, ...]
) -> tuple[Tensor | None, Tensor | None]:
    x, gradient = x.contiguous(memory_format=_LAST), gradient.contiguous(memory_format=_LAST)
    weight = weight.contiguous()
    of_x, of_weight = (torch.empty_like(of) if needed else None for of, needed in zip((x, weight), needs, strict=False))
    pointers = [None if tensor is None else tensor.data_ptr() for tensor in (x, weight, gradient, of_x, of_weight)]
    pixels = x.numel() // x.shape[1]
    _kernels().pointwise_backward(_shape(pixels, groups, *weight.shape[:2]), *pointers)
    return of_x, of_weight


def _differentiable_gradients(
    x: Tensor, weight: Tensor, groups: int, gradient: Tensor, needs: tuple[bool, ...]
) -> list[Tensor | None]:
    made = functional.conv2d(x, weight, groups=groups)
    needed = [of for of, needs_it in zip((x, weight), needs, strict=False) if needs_it]
    found = iter(torch.autograd.grad(made, needed, gradient, create_graph=True))
    return [next(found) if needs_it else None for needs_it in needs[:2]]


@functools.lru_cache(maxsize=4096)
def _shape(pixels: int, groups: int, bank: int, channels: int) -> ctypes.Array[ctypes.c_ssize_t]:
    """Return the kernels' `Shape`; `bank` is the number of groups times the outputs of each."""
    return (ctypes.c_ssize_t * 4)(pixels, groups, channels, bank // groups)


@functools.cache
def _kernels() -> ctypes.CDLL:
    kernels = library("pointwise")
    assert kernels is not None, "ask available() first"
    pointer = ctypes.c_void_p
    kernels.pointwise_forward.argtypes = [pointer] * 4
    kernels.pointwise_backward.argtypes = [pointer] * 6
    kernels.pointwise_forward.restype = kernels.pointwise_backward.restype = None
    return kernels
