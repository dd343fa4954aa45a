"""ZiCo (Li et al., 2023, https://arxiv.org/abs/2301.11300): gradients that are large and vary little by batch."""

import math
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from nasengine.proxies.probe import Probe


def zico(probe: Probe) -> float:
    """By layer the log of the sum over its weights of mean |gradient| / standard deviation over batches, all summed.

    One gradient for each of the probe's batches, two or more. Weights whose gradient does not vary are left out, and
    layers of such weights. Departure: the published code lets the gradients of the batches add up before it compares
    them; here, as in the paper, each batch has its own.
    """
    runs = [probe.run(number).gradients[0] for number in range(len(probe.batches))]
    return steadiness([run[name] for run in runs] for name in runs[0])


def steadiness(layers: Iterable[Sequence[Tensor]]) -> float:
    """The score of gradients: for each layer one tensor for each batch."""
    total = 0.0
    for gradients in layers:
        stacked = torch.stack([gradient.flatten() for gradient in gradients]).double()
        deviation = stacked.std(0, correction=0)
        varies = deviation > 0
        ratio = float((stacked.abs().mean(0)[varies] / deviation[varies]).sum())
        total += math.log(ratio) if ratio > 0 else 0.0
    return total
