"""What comes out of the operators that networks are made of, on the meta device: empty tensors of the right shape.

Torch knows this too, but tells it for most of them in Python, by way of its compiler, which takes longer to load than
to count a whole network. What is not plain (other types, sizes that do not fit, operators that are not here) is torch's
to answer, or to refuse. Shapes, types and strides are torch's, as the tests hold for every layer.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload

aten = torch.ops.aten
EXACT = {  # integers stay integers
    aten.add.Tensor, aten.sub.Tensor, aten.floor_divide.default, aten.remainder.Scalar, aten.clamp.default,
}  # fmt: skip
POINTWISE = {
    *EXACT, aten.mul.Tensor, aten.div.Tensor, aten.mul.Scalar, aten.pow.Tensor_Scalar,
    aten.relu.default, aten.gelu.default, aten.silu.default, aten.sigmoid.default, aten.tanh.default,
    aten.hardswish.default, aten.hardsigmoid.default, aten.hardtanh.default,
}  # fmt: skip
INITIAL = {aten.normal_.default, aten.uniform_.default, aten.zero_.default, aten.fill_.Scalar}  # in place


def outline(operator: OpOverload, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """The operator's empty output, or None where torch has to be asked."""
    tensors = [arg for arg in args if isinstance(arg, Tensor)]
    if not all(tensor.is_meta for tensor in tensors):
        return None
    if operator in EXACT and all(isinstance(arg, int) or arg.dtype == torch.int64 for arg in args if arg is not None):
        return _pointwise(tensors)
    if not all(tensor.is_floating_point() for tensor in tensors):
        return None
    if operator in INITIAL:
        return args[0]
    if operator in POINTWISE:
        return _pointwise(tensors)
    known = KNOWN.get(operator)
    return known(*args, **kwargs) if known is not None else None


def _pointwise(tensors: Sequence[Tensor]) -> Tensor | None:
    """Of the tensors' common shape, laid out as one that has it already."""
    longest = max(tensor.dim() for tensor in tensors)
    padded = [(1,) * (longest - tensor.dim()) + tensor.shape for tensor in tensors]
    shape = tuple(map(max, *padded)) if len(tensors) > 1 else padded[0]
    fits = all(n in (1, m) for each in padded for n, m in zip(each, shape, strict=True))
    if not fits or len({tensor.dtype for tensor in tensors}) > 1:
        return None
    whole = next((tensor for tensor in tensors if tensor.shape == shape), None)
    return tensors[0].new_empty(shape) if whole is None else _like(whole)


def _like(x: Tensor) -> Tensor:
    """Another of the same shape, its dimensions in the same order in memory."""
    strides, dense = x.stride(), 1
    made = list(strides)
    for dim in sorted(range(x.dim()), key=lambda dim: (strides[dim], -dim)):
        made[dim] = dense
        dense *= x.shape[dim]
    return torch.empty_strided(x.shape, made, dtype=x.dtype, device=x.device)


def _random(shape: Sequence[int], *, dtype: Any = None, device: Any = None, **_: Any) -> Tensor | None:
    return torch.empty(shape, dtype=dtype, device=device) if device == torch.device("meta") else None


def _convolution(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],
    groups: int,
) -> Tensor | None:
    """(batch, channels, height, width) -> (batch, width, height / stride, width / stride)."""
    sides = _sides(x, weight.shape[2:], stride, padding, dilation)
    if transposed or sides is None or x.shape[1] != weight.shape[1] * groups or weight.shape[0] % groups:
        return None
    return x.new_empty((x.shape[0], weight.shape[0], *sides))


def _sides(x: Tensor, *window: Sequence[int], up: bool = False) -> list[int] | None:
    """Height and width after a kernel of these sizes, stride, padding and dilation; None where none is left.

    With `up` a last window reaches over the edge, if it begins before it.
    """
    if x.dim() != 4 or any(len(each) != 2 for each in window):
        return None
    sides = []
    for side, kernel, stride, padding, dilation in zip(x.shape[2:], *window, strict=True):
        steps, over = divmod(side + 2 * padding - dilation * (kernel - 1) - 1, stride)
        more = up and over > 0 and (steps + 1) * stride < side + padding
        sides.append(steps + 1 + more)
    return sides if min(sides) > 0 else None


def _resized(x: Tensor, sides: Sequence[int], dtype: torch.dtype) -> Tensor:
    order = torch.channels_last if x.stride(1) < x.stride(3) else torch.contiguous_format
    return torch.empty((*x.shape[:2], *sides), dtype=dtype, device=x.device, memory_format=order)


def _max_pool(
    x: Tensor,
    kernel: Sequence[int],
    stride: Sequence[int] = (),
    padding: Sequence[int] = (0, 0),
    dilation: Sequence[int] = (1, 1),
    ceil_mode: bool = False,
) -> tuple[Tensor, Tensor] | None:
    sides = _sides(x, kernel, stride or kernel, padding, dilation, up=ceil_mode)
    return None if sides is None else (_resized(x, sides, x.dtype), _resized(x, sides, torch.int64))


def _avg_pool(
    x: Tensor,
    kernel: Sequence[int],
    stride: Sequence[int] = (),
    padding: Sequence[int] = (0, 0),
    ceil_mode: bool = False,
    *_: Any,
) -> Tensor | None:
    made = _max_pool(x, kernel, stride, padding, (1, 1), ceil_mode)
    return None if made is None else made[0]


def _zeros(x: Tensor, dtype: Any = None, **_: Any) -> Tensor | None:
    return _like(x) if dtype in (None, x.dtype) else None


def _softmax(x: Tensor, dim: int, changed: Any = None) -> Tensor | None:
    return None if changed else _like(x)


def _batch_norm(x: Tensor, *_: Any) -> tuple[Tensor, Tensor, Tensor]:
    return _like(x), x.new_empty(0), x.new_empty(0)


def _layer_norm(x: Tensor, shape: Sequence[int], weight: Tensor | None, *_: Any) -> Any:
    sizes = tuple(x.shape[x.dim() - len(shape) :])
    if sizes != tuple(shape) or (weight is not None and weight.shape != sizes):
        return None
    ones = x.shape[: x.dim() - len(shape)] + (1,) * len(shape)
    return x.new_empty(x.shape), x.new_empty(ones), x.new_empty(ones)


def _group_norm(x: Tensor, weight: Any, bias: Any, batch: int, channels: int, size: int, groups: int, _: float) -> Any:
    return _like(x), x.new_empty((batch, groups)), x.new_empty((batch, groups))


def _nearest(x: Tensor, size: Sequence[int], *_: Any) -> Tensor | None:
    return _resized(x, size, x.dtype)


def _mean(x: Tensor, dims: Sequence[int] | None, keepdim: bool = False, *, dtype: Any = None) -> Tensor | None:
    if dtype is not None or not dims:
        return None
    gone = {dim % x.dim() for dim in dims}
    return x.new_empty([1 if i in gone else n for i, n in enumerate(x.shape) if keepdim or i not in gone])


def _product(x: Tensor, weight: Tensor) -> Tensor | None:
    fits = x.dim() == weight.dim() == 2 and x.shape[1] == weight.shape[0]
    return x.new_empty((x.shape[0], weight.shape[1])) if fits else None


def _linear(bias: Tensor, x: Tensor, weight: Tensor, **_: Any) -> Tensor | None:
    return _product(x, weight) if bias.shape == weight.shape[1:] else None


def _products(x: Tensor, y: Tensor) -> Tensor | None:
    fits = x.dim() == y.dim() == 3 and x.shape[0] == y.shape[0] and x.shape[2] == y.shape[1]
    return x.new_empty((x.shape[0], x.shape[1], y.shape[2])) if fits else None


def _side_by_side(tensors: Sequence[Tensor], dim: int = 0) -> Tensor | None:
    dim %= tensors[0].dim()
    if len({(tensor.dtype, *tensor.shape[:dim], *tensor.shape[dim + 1 :]) for tensor in tensors}) > 1:
        return None
    shape = list(tensors[0].shape)
    shape[dim] = sum(tensor.shape[dim] for tensor in tensors)
    return tensors[0].new_empty(shape)


def _stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor | None:
    if len({(tensor.dtype, tensor.shape) for tensor in tensors}) > 1:
        return None
    shape = list(tensors[0].shape)
    shape.insert(dim % (tensors[0].dim() + 1), len(tensors))
    return tensors[0].new_empty(shape)


def _shuffled(x: Tensor, groups: int) -> Tensor | None:
    return None if x.shape[1] % groups else x.new_empty(x.shape)


KNOWN: dict[OpOverload, Callable[..., Any]] = {
    aten.rand.default: _random,
    aten.randn.default: _random,
    aten.convolution.default: _convolution,
    aten.max_pool2d_with_indices.default: _max_pool,
    aten.avg_pool2d.default: _avg_pool,
    aten._safe_softmax.default: _softmax,
    aten._softmax.default: _softmax,
    aten.native_batch_norm.default: _batch_norm,
    aten.native_layer_norm.default: _layer_norm,
    aten.native_group_norm.default: _group_norm,
    aten.mean.dim: _mean,
    aten.mm.default: _product,
    aten.addmm.default: _linear,
    aten.bmm.default: _products,
    aten.zeros_like.default: _zeros,
    aten.upsample_nearest2d.default: _nearest,
    aten.cat.default: _side_by_side,
    aten.stack.default: _stack,
    aten.channel_shuffle.default: _shuffled,
    aten.native_channel_shuffle.default: _shuffled,
}
