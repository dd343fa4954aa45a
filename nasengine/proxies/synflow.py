"""Synaptic flow (Tanaka et al., 2020, https://arxiv.org/abs/2006.05467): what passes through positive weights."""

import math

import torch

from nasengine.proxies.probe import Probe, weighted
from nasengine.proxies.watching import LoneValues, WithoutNorms


def synflow(probe: Probe) -> float:
    """The log of the sum over all weights of |weight times gradient of R|; R is the output for an image of ones.

    Every parameter and buffer is replaced by its absolute value, numbers are float64, and norms of all kinds give out
    what comes in, as in Abdelfattah et al., 2021 (https://arxiv.org/abs/2101.08134). Depends on no data.
    Departure: the logarithm, for deep networks; ranks are the same. Norms written out as arithmetic are not bypassed.
    """
    return _log(sum(flows(probe).values()))


def synflow_bn(probe: Probe) -> float:
    """The same with its norms where they stand, in training mode; one value alone in its channel becomes the shift."""
    return _log(sum(flows(probe, norms=True).values()))


def flows(probe: Probe, norms: bool = False) -> dict[str, float]:
    """The sum of |weight times gradient of R| by layer; in a chain without biases each of them is R itself."""
    network = probe.copy().double()
    with torch.no_grad():
        for tensor in network.state_dict().values():
            if tensor.is_floating_point():
                tensor.abs_()
    layers = dict(weighted(network))
    ones = torch.ones_like(probe.batches[0][0][:1], dtype=torch.float64)
    with probe.quiet(), torch.enable_grad(), LoneValues() if norms else WithoutNorms():
        out = network(ones).sum()
    weights = [layer.weight for layer in layers.values()]
    gradients = torch.autograd.grad(out, weights, materialize_grads=True)
    return {
        name: float((weight.detach() * gradient).abs().sum())
        for name, weight, gradient in zip(layers, weights, gradients, strict=True)
    }


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf if value == 0 else math.nan
