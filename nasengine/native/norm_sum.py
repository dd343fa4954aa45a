"""The sum of several batch norms in two passes over memory, on the CPU, in float32."""

import ctypes
import functools
import struct
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from nasengine.native.build import library
from nasengine.native.tensors import described, readable

_LAST = torch.channels_last
_About = tuple[float, int, Tensor]  # eps, the number of values, means and variances (2, values, channels)


def quicker(count: int, numbers: int) -> bool:
    """Return whether so many values of so many numbers each are summed quicker here than by torch.

    A call costs some 35 microseconds forward and backward and 15 for each value, torch's norm and addition 25 for each;
    one pass less over the numbers makes up for that, the sooner the more values there are.
    """
    return numbers * count**2 >= 24 * 1024


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
    torch's own operations. Ask `available(value, "norm_sum")` first, and `quicker` whether it pays. Raises ValueError
    for shapes that do not fit, and for what is not float32 on the CPU.
    """
    shape, count = values[0].shape, len(values)
    affine = [tensor for tensor in (*weights, *biases) if tensor is not None]
    shapes, wanted = [one.shape for one in (*values, *affine)], [shape] * count + [shape[1:2]] * len(affine)
    if shapes != wanted or not readable(*values, *affine) or not len(weights) == len(biases) == count:
        raise ValueError(
            f"norm_sum: values {', '.join(map(described, values))}; weights and biases "
            f"{', '.join(map(described, affine)) or 'none'}; allowed are values of one shape, each with a weight and a "
            "bias of (channels,) or None, all in float32 on the CPU; reshape or move them"
        )
    means_and_variances = values[0].new_empty(2, count, shape[1])
    made: Tensor = _NormSum.apply((eps, count, means_and_variances), *values, *weights, *biases)
    return made, means_and_variances[0], means_and_variances[1]


class _NormSum(torch.autograd.Function):
    """The statistics are not results of it, but written into a tensor that comes with it: that is cheaper."""

    @staticmethod
    def forward(ctx: Any, about: _About, *tensors: Tensor | None) -> Tensor:
        eps, count, statistics = ctx.about = about
        values, weights, biases = _thirds(tensors, count)
        batch, channels, height, width = values[0].shape
        made = torch.empty_like(values[0], memory_format=_LAST)
        nothing = [None] * count
        held, table = _table(values, weights, biases, nothing, nothing)
        means = statistics.data_ptr()
        pointers = made.data_ptr(), means, means + 4 * count * channels
        _kernels().norm_sum_forward(table, count, batch * height * width, channels, eps, *pointers)
        del held
        ctx.save_for_backward(*tensors)
        return made

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        needs = ctx.needs_input_grad[1:]
        if torch.is_grad_enabled():  # somebody wants the gradient's own gradient
            return None, *_differentiable_gradients(ctx.saved_tensors, ctx.about, gradient, needs)
        return None, *_gradients(ctx.saved_tensors, ctx.about, gradient, needs)


def _gradients(
    tensors: Sequence[Tensor | None], about: _About, gradient: Tensor, needs: Sequence[bool]
) -> list[Tensor | None]:
    eps, count, statistics = about
    values, weights, biases = _thirds(tensors, count)
    of_value, of_weight, of_bias = _thirds(needs, count)
    batch, channels, height, width = gradient.shape
    gradient = gradient.contiguous(memory_format=_LAST)
    value_gradients = [torch.empty_like(gradient) if needed else None for needed in of_value]
    weight_gradients = [gradient.new_empty(channels) if needed else None for needed in of_weight]
    bias_gradient = gradient.new_empty(channels)
    held, table = _table(values, weights, biases, value_gradients, weight_gradients)
    means = statistics.data_ptr()
    pointers = gradient.data_ptr(), means, means + 4 * count * channels, bias_gradient.data_ptr()
    _kernels().norm_sum_backward(table, count, batch * height * width, channels, eps, *pointers)
    del held
    return [*value_gradients, *weight_gradients, *(bias_gradient.clone() if needed else None for needed in of_bias)]


def _differentiable_gradients(
    tensors: Sequence[Tensor | None], about: _About, gradient: Tensor, needs: Sequence[bool]
) -> list[Tensor | None]:
    eps, count, _ = about
    parts = zip(*_thirds(tensors, count), strict=True)
    norms = [functional.batch_norm(value, None, None, weight, bias, True, 0.0, eps) for value, weight, bias in parts]
    needed = [tensor for tensor, needs_it in zip(tensors, needs, strict=True) if tensor is not None and needs_it]
    found = iter(torch.autograd.grad(torch.stack(norms).sum(0), needed, gradient, create_graph=True))
    return [next(found) if needs_it else None for needs_it in needs]


def _thirds(all_of_them: Sequence[Any], count: int) -> tuple[Sequence[Any], Sequence[Any], Sequence[Any]]:
    return all_of_them[:count], all_of_them[count : 2 * count], all_of_them[2 * count :]


def _table(
    values: Sequence[Tensor],
    weights: Sequence[Tensor | None],
    biases: Sequence[Tensor | None],
    value_gradients: Sequence[Tensor | None],
    weight_gradients: Sequence[Tensor | None],
) -> tuple[list[Tensor], bytes]:
    """Return the tensors whose memory the kernels read, to be held as long, and the kernels' `Value`s."""
    held: list[Tensor] = []
    table: list[int] = []
    for value, weight, bias, *gradients in zip(values, weights, biases, value_gradients, weight_gradients, strict=True):
        value, step = _readable(value)
        held.append(value)
        table += value.data_ptr(), step
        for one in (weight, bias):
            if one is not None:
                held.append(one.contiguous())
            table.append(0 if one is None else held[-1].data_ptr())
        table += [0 if one is None else one.data_ptr() for one in gradients]
    return held, struct.pack(f"{len(table)}n", *table)


def _readable(value: Tensor) -> tuple[Tensor, int]:
    """Return a value whose pixels lie one after another, and the numbers from one to the next."""
    _, channels, height, width = value.shape
    if value.is_contiguous(memory_format=_LAST):
        return value, channels
    step = value.stride(3)
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
