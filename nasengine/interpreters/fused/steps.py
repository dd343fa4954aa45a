"""The steps of layers, each done for several layers at once: the same sums as layer after layer, in another order."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from nasengine.interpreters.fused.bundles import Bundle, Memo
from nasengine.interpreters.fused.norms import banked
from nasengine.interpreters.fused.programs import Step
from nasengine.native import depthwise, pointwise
from nasengine.native.tensors import available


def without_weights(step: Step, values: Sequence[Bundle], module: nn.Module | None, memo: Memo) -> Bundle:
    """A step that is the same for all layers."""
    value = values[0]
    match step.kind:
        case "pass":
            return value
        case "relu":
            return rectified(value, memo)
        case "pool" if module is not None:
            return memo.once(value.whole(), ("pool", step.arguments), module)
        case "crop":
            places = (slice(None), slice(None), *(slice(*place) for place in step.arguments))
            return memo.once(value.whole(), ("crop", step.arguments), lambda x: x[places])
        case "pad":
            widths = list(step.arguments)
            return memo.once(value.whole(), ("pad", *widths), lambda x: nn.functional.pad(x, widths))
    first, second = (one.whole() for one in values)
    return _interleaved(first, second, memo)


def _interleaved(first: Bundle, second: Bundle, memo: Memo) -> Bundle:
    """Channels of two values in turns: each member's own, side by side and shuffled in two groups."""
    members = max(first.members, second.members)
    if first.members != second.members:
        first, second = (memo.spread(one, members) for one in (first, second))
    if first.tensor.shape == second.tensor.shape:
        tensor = nn.functional.channel_shuffle(torch.cat([first.tensor, second.tensor], 1), 2)
    else:
        halves = [one.tensor.unflatten(1, (max(members, 1), -1)) for one in (first, second)]
        tensor = torch.cat(halves, 2).unflatten(2, (2, -1)).transpose(2, 3).flatten(1, 3)
    tensor = tensor.contiguous(memory_format=torch.channels_last)
    return replace(first, tensor=tensor, key=("interleave", first.key, second.key))


def rectified(value: Bundle, memo: Memo) -> Bundle:
    """What ReLU makes of it."""
    return memo.once(value, "relu", torch.relu)


def convolve(value: Bundle, layers: Sequence[nn.Conv2d], relu: bool, memo: Memo) -> Bundle:
    """One convolution for those of all layers, grouped by layer; of what ReLU makes of the value, if wanted.

    Depthwise and 1x1 ones run in native kernels, where there are any. Else dilated ones run as plain ones on every d-th
    pixel: on a CPU torch's backward of dilated ones is some ten times slower.
    """
    one, members = layers[0], len(layers)
    weight, bias = banked(layers, "weight"), banked(layers, "bias")
    assert weight is not None
    if depthwise.takes(one) and available(value.tensor, "depthwise"):
        value = value.whole()
        tensor = depthwise.depthwise(value.tensor, weight, one.stride[0], one.dilation[0], relu)
        return replace(value, tensor=tensor, members=members, key=None)
    if relu:
        value = rectified(value, memo)
    if _mixes_channels(one) and available(value.tensor, "pointwise"):
        return replace(value, tensor=pointwise.pointwise(value.tensor, weight, members), members=members, key=None)
    stride, padding, dilation, groups = one.stride, one.padding, one.dilation, one.groups
    value, is_plain = _undilated(value, one, memo)
    if is_plain:
        stride, dilation, padding = (1, 1), (1, 1), tuple(k // 2 for k in one.kernel_size)
    if value.members or groups > 1:
        value, groups = memo.spread(value, members), groups * members
    tensor = nn.functional.conv2d(value.tensor, weight, bias, stride, padding, dilation, groups)
    return replace(value, tensor=tensor, members=members, key=None)


def _mixes_channels(one: nn.Conv2d) -> bool:
    """Whether the native kernel of 1x1 convolutions can do it, and is quicker."""
    plain = one.stride == (1, 1) and one.padding == (0, 0) and one.groups == 1 and one.bias is None
    return one.kernel_size == (1, 1) and plain and pointwise.quicker(one.in_channels, one.out_channels)


def _undilated(value: Bundle, one: nn.Conv2d, memo: Memo) -> tuple[Bundle, bool]:
    """The value with the pixels arranged so that a dilated convolution is a plain one of stride 1, if that can be."""
    if one.kernel_size == one.stride == (1, 1) and one.padding == (0, 0):
        return value, False
    d = one.dilation[0]
    centred = one.padding == tuple(d * (k // 2) for k in one.kernel_size) and one.dilation == (d, d)
    if d > 1 and centred and value.tensor.device.type == "cpu":
        if one.stride == (d, d):
            return memo.every(value.whole(), d), True
        if one.stride == (1, 1) and value.phases == d:
            return value, True
        value = value.whole()
        if one.stride == (1, 1) and all(size % d == 0 for size in value.tensor.shape[2:]):
            return memo.phases(value, d), True
    return value.whole(), False


def gathered(parts: Sequence[Tensor]) -> Bundle:
    """A bundle of values that came one by one."""
    return Bundle(torch.cat(list(parts), dim=1), len(parts))
