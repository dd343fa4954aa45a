"""The sum of several batch norms in two passes over memory, on the CPU, in float32."""

import ctypes
import functools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.parameter import Parameter

from nasengine.native.build import library

_LAST = torch.channels_last


def available(x: Tensor) -> bool:
    """Return whether the kernel takes such a tensor: float32 (batch, channels, height, width) on the CPU, not empty."""
    usual = type(x) in (Tensor, Parameter) and x.device.type == "cpu" and x.dtype == torch.float32
    return usual and x.dim() == 4 and x.numel() > 0 and library("norm_sum") is not None


def norm_sum(
    values: Sequence[Tensor],
    weights: Sequence[Tensor | None],
    biases: Sequence[Tensor | None],
    eps: float = 1e-5,
) -> tuple[Tensor, Tensor, Tensor]:
    """Normalise each value by the statistics of its batch, scale and shift it, and add all of them up.

    values: tensors of one shape (batch, channels, height, width); channels-last ones, and runs of channels of a
    channels-last tensor, are read where they lie
    weights, biases: for each value (channels,), or None for one and zero

    Returns the sum in channels-last memory, and the means and biased variances, both (values, channels), for running
    statistics; these two cannot be differentiated. The sum can, by values, weights and biases; a second time through
    torch's own operations. Ask `available` first. Raises ValueError for shapes that do not fit.
    """
    shape, count = values[0].shape, len(values)
    affine = [tensor for tensor in (*weights, *biases) if tensor is not None]
    fits = len(weights) == len(biases) == count and all(value.shape == shape for value in values)
    floats = all(tensor.dtype == torch.float32 for tensor in (*values, *affine))
    if not fits or not floats or any(tensor.shape != shape[1:2] for tensor in affine):
        raise ValueError(
            f"norm_sum: values {[tuple(value.shape) for value in values]}, weights and biases "
            f"{[tuple(tensor.shape) for tensor in affine]}; allowed are values of one shape, each with a weight and a "
            "bias of (channels,) or None, all in float32; reshape them"
        )
    return _NormSum.apply(eps, count, *values, *weights, *biases)


class _NormSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, eps: float, count: int, *tensors: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        values, weights, biases = _thirds(tensors, count)
        batch, channels, height, width = values[0].shape
        made = torch.empty(batch, channels, height, width, dtype=torch.float32, memory_format=_LAST)
        means, variances = torch.empty(2, count, channels, dtype=torch.float32)
        held, table = _table(values, (weights, biases))
        pointers = (made.data_ptr(), means.data_ptr(), variances.data_ptr())
        _kernels().norm_sum_forward(table, count, batch * height * width, channels, eps, *pointers)
        del held
        ctx.mark_non_differentiable(means, variances)
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*tensors, means, variances)
        ctx.eps, ctx.count = eps, count
        return made, means, variances

    @staticmethod
    def backward(ctx: Any, gradient: Tensor | None, *_: None) -> tuple[Tensor | None, ...]:
        needs = ctx.needs_input_grad[2:]
        if gradient is None or not any(needs):
            return (None,) * (2 + len(needs))
        tensors = ctx.saved_tensors[:-2]
        if torch.is_grad_enabled():  # somebody wants the gradient's own gradient
            return None, None, *_differentiable_gradients(tensors, ctx.count, ctx.eps, gradient, needs)
        return None, None, *_gradients(tensors, ctx.count, ctx.eps, gradient, needs, ctx.saved_tensors[-2:])


def _gradients(
    tensors: Sequence[Tensor | None],
    count: int,
    eps: float,
    gradient: Tensor,
    needs: Sequence[bool],
    statistics: Sequence[Tensor],
) -> list[Tensor | None]:
    values, weights, biases = _thirds(tensors, count)
    of_value, of_weight, of_bias = _thirds(needs, count)
    batch, channels, height, width = gradient.shape
    gradient = gradient.contiguous(memory_format=_LAST)
    value_gradients = [torch.empty_like(gradient) if needed else None for needed in of_value]
    weight_gradients = [gradient.new_empty(channels) if needed else None for needed in of_weight]
    bias_gradient = gradient.new_empty(channels)
    held, table = _table(values, (weights, biases), value_gradients, weight_gradients)
    pointers = [tensor.data_ptr() for tensor in (gradient, *statistics, bias_gradient)]
    _kernels().norm_sum_backward(table, count, batch * height * width, channels, eps, *pointers)
    del held
    return [*value_gradients, *weight_gradients, *(bias_gradient.clone() if needed else None for needed in of_bias)]


def _differentiable_gradients(
    tensors: Sequence[Tensor | None], count: int, eps: float, gradient: Tensor, needs: Sequence[bool]
) -> list[Tensor | None]:
    parts = zip(*_thirds(tensors, count), strict=True)
    norms = [functional.batch_norm(value, None, None, weight, bias, True, 0.0, eps) for value, weight, bias in parts]
    needed = [tensor for tensor, needs_it in zip(tensors, needs, strict=True) if tensor is not None and needs_it]
    found = iter(torch.autograd.grad(torch.stack(norms).sum(0), needed, gradient, create_graph=True))
    return [next(found) if needs_it else None for needs_it in needs]


def _thirds(all_of_them: Sequence[Any], count: int) -> tuple[Sequence[Any], Sequence[Any], Sequence[Any]]:
    return all_of_them[:count], all_of_them[count : 2 * count], all_of_them[2 * count :]


def _table(
    values: Sequence[Tensor], affine: Sequence[Sequence[Tensor | None]], *gradients: Sequence[Tensor | None]
) -> tuple[object, ctypes.Array[ctypes.c_ssize_t]]:
    """Return the kernels' `Value`s, and the tensors whose memory they point at, to be held as long."""
    held = [[None if one is None else one.contiguous() for one in column] for column in affine]
    columns = (*held, *gradients) if gradients else (*held, [None] * len(values), [None] * len(values))
    read = [_readable(value) for value in values]
    table: list[int] = []
    for (value, step), row in zip(read, zip(*columns, strict=True), strict=True):
        table += value.data_ptr(), step, *(0 if one is None else one.data_ptr() for one in row)
    return (read, held), (ctypes.c_ssize_t * len(table))(*table)


def _readable(value: Tensor) -> tuple[Tensor, int]:
    """Return a value whose pixels lie one after another, and the numbers from one to the next."""
    _, channels, height, width = value.shape
    step = value.stride(3)
    if value.is_contiguous(memory_format=_LAST):
        return value, channels
    if step >= channels and value.stride() == (height * width * step, 1, width * step, step):
        return value, step
    return value.contiguous(memory_format=_LAST), channels


@functools.cache
def _kernels() -> ctypes.CDLL:
    kernels = library("norm_sum")
    assert kernels is not None, "ask available() first"
    pointer: Any = ctypes.c_void_p
    size: Any = ctypes.c_ssize_t
    first = [pointer, size, size, size, ctypes.c_double]
    kernels.norm_sum_forward.argtypes = [*first, *[pointer] * 3]
    kernels.norm_sum_backward.argtypes = [*first, *[pointer] * 4]
    kernels.norm_sum_forward.restype = kernels.norm_sum_backward.restype = None
    return kernels
