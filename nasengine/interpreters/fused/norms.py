"""Batch norms of several layers as one, with the gates that weigh what comes after them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor, nn

from nasengine.native import norm_sum
from nasengine.native.tensors import available


class Statistics:
    """The running statistics of several batch norms in one tensor each; the norms keep theirs as views of it."""

    def __init__(self, norms: Sequence[nn.BatchNorm2d]):
        self.norms = norms
        self.mean, self.variance, self.batches = (self._joined(name) for name in BUFFERS)
        self._rows = torch.arange(len(norms), device=self.mean.device).unbind()
        self._kept = [(norm, norm.running_mean, norm.momentum) for norm in norms]

    def _joined(self, name: str) -> Tensor:
        joined = torch.stack([norm.get_buffer(name) for norm in self.norms])
        for norm, part in zip(self.norms, joined.unbind(), strict=True):
            norm._buffers[name] = part
        return joined

    def are_kept(self) -> bool:
        """Whether the norms still have theirs here; a model that was moved to another device has new ones."""
        return all(
            norm._buffers["running_mean"] is mean and norm.momentum == momentum for norm, mean, momentum in self._kept
        )

    def are_learning(self) -> bool:
        """Whether all of the norms go by the batch; none is frozen."""
        return all([norm.training for norm in self.norms])  # noqa: C419 - a list is quicker

    def see(self, members: Sequence[int], mean: Tensor, variance: Tensor, momentum: float) -> None:
        """Let these norms see one batch more, of means and variances (members * channels), or (channels) for all.

        Written past autograd: it would refuse the backward of an earlier batch for what a later one changed.
        """
        pairs = (self.mean.data, mean), (self.variance.data, variance)
        if len(members) == len(self.norms):
            for held, new in pairs:
                held.lerp_(new.view(-1, held.shape[1]).expand_as(held), momentum)
            self.batches.add_(1)
            return
        rows = torch.stack([self._rows[m] for m in members])  # numbers from the host would make it wait for a GPU
        for held, new in pairs:
            old = held.index_select(0, rows)
            held.index_copy_(0, rows, old.lerp(new.view(-1, held.shape[1]).expand_as(old), momentum))
        self.batches.index_add_(0, rows, torch.ones_like(rows))


BUFFERS = ("running_mean", "running_var", "num_batches_tracked")


@dataclass(frozen=True, eq=False)
class Norm:
    """Batch norms of several layers, in training, still to be done: it can be one pass with the sum that follows."""

    members: Sequence[int]
    statistics: Statistics | None
    weight: Tensor | None
    bias: Tensor | None
    eps: float
    momentum: float

    def __call__(self, x: Tensor) -> Tensor:
        """Normalise (batch, members * channels, height, width), or what all share."""
        if self.statistics is None:
            return self._run(x, None, None, 0.0)
        if len(self.members) == len(self.statistics.norms) and x.shape[1] == self.statistics.mean.numel():
            self.statistics.batches.add_(1)
            return self._run(x, self.statistics.mean.view(-1), self.statistics.variance.view(-1), self.momentum)
        mean, variance = self.statistics.mean.new_zeros(2, x.shape[1]).unbind()
        normal = self._run(x, mean, variance, 1.0)
        self.statistics.see(self.members, mean, variance, self.momentum)
        return normal

    def _run(self, x: Tensor, mean: Tensor | None, variance: Tensor | None, momentum: float) -> Tensor:
        return nn.functional.batch_norm(x, mean, variance, self.weight, self.bias, True, momentum, self.eps)

    def saw(self, x: Tensor, mean: Tensor, variance: Tensor) -> None:
        """Take note of statistics that were found elsewhere; the variance is the biased one."""
        if self.statistics is not None:
            pixels = x.numel() // x.shape[1]
            self.statistics.see(self.members, mean, variance * (pixels / (pixels - 1)), self.momentum)


def norm_of(
    norms: Sequence[nn.BatchNorm2d],
    members: Sequence[int],
    statistics: Statistics | None,
    gates: Tensor | None,
    dtype: torch.dtype,
) -> Norm:
    """The norms of these members as one; `gates` weigh what they give, of this type."""
    weight, bias = banked(norms, "weight"), banked(norms, "bias")
    if gates is not None:
        held = weight if weight is not None or statistics is None else statistics.mean
        wanted = torch.promote_types(dtype, torch.float32) if held is None else held.dtype
        spread = gates.repeat_interleave(norms[0].num_features).to(wanted)
        weight, bias = spread if weight is None else weight * spread, None if bias is None else bias * spread
    return Norm(members, statistics, weight, bias, norms[0].eps, norms[0].momentum or 0.0)


def normalised(values: Sequence[Tensor], norms: Sequence[Norm]) -> Tensor:
    """The sum of the values, each after its norm."""
    first, one = values[0], norms[0]
    pays = norm_sum.quicker(len(values), first.numel()) and available(first, "norm_sum")
    alike = all(norm.eps == one.eps for norm in norms) and all(value.dtype == first.dtype for value in values)
    if not (pays and alike) or first.numel() == first.shape[1]:  # torch refuses one value per channel, in its own words
        return reduce(torch.add, [norm(value) for norm, value in zip(norms, values, strict=True)])
    total, means, variances = norm_sum.norm_sum(
        values, [norm.weight for norm in norms], [norm.bias for norm in norms], one.eps
    )
    for norm, value, mean, variance in zip(norms, values, means, variances, strict=True):
        norm.saw(value, mean, variance)
    return total


def banked(layers: Sequence[nn.Module], name: str) -> Tensor | None:
    """A parameter of all layers, one after the other along its first dimension; None where they have none."""
    held = [layer._parameters[name] for layer in layers]
    if held[0] is None:
        return None
    return held[0] if len(held) == 1 else torch.cat(held)  # type: ignore[arg-type]
