"""Zen-score (Lin et al., 2021, https://arxiv.org/abs/2102.01063): how far a small disturbance of the image reaches."""

import math

import torch
from torch import Tensor, nn

from nasengine.proxies.probe import Probe, renewed
from nasengine.proxies.watching import LastMap

STEP = 0.01


def zen(probe: Probe, repeats: int = 32) -> float:
    """The log of the change of the last map for x + 0.01 e, plus the logs of what batch norms had divided by.

    Images and disturbances are standard-normal, as many as the batch has; weights are standard-normal, norms' scales 1
    and shifts 0; the mean over `repeats` such draws. What a batch norm divides by is the root of its channels' mean
    batch variance, as in the paper; one that gets a constant divides by nothing. The last map is the one that is
    pooled or flattened for the classifier.
    Departures: the published code reads a running average after two steps for the batch's variance. The paper is for
    plain chains of convolutions; here whatever a network holds is run, and other norms are not compensated.
    """
    network, generator = probe.copy().requires_grad_(False), probe.random("zen")
    shape = probe.batches[0][0].shape
    scores = []
    for _ in range(repeats):
        renewed(network, generator)
        images, disturbance = (probe.noise(shape, generator) for _ in range(2))
        with probe.quiet(), torch.no_grad():
            _, disturbed = _run(network, images + STEP * disturbance)
            scales, plain = _run(network, images)
        scores.append(_log((disturbed - plain).double().abs().sum() / shape[0]) + scales)
    return sum(scores) / repeats


def _run(network: nn.Module, images: Tensor) -> tuple[float, Tensor]:
    """The sum of the logs of what batch norms divided by, and the last map."""
    scales: list[float] = []

    def measure(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        dims = [d for d in range(inputs[0].dim()) if d != 1]
        variance = inputs[0].double().var(dims, correction=0).mean()
        scales.append(_log(variance) / 2 if variance > 0 else 0.0)

    norms = [module for module in network.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    hooks = [norm.register_forward_pre_hook(measure) for norm in norms]
    with LastMap() as last:
        output = network(images)
    for hook in hooks:
        hook.remove()
    return sum(scales), output if last.map is None else last.map


def _log(value: Tensor) -> float:
    return math.log(value) if value > 0 else -math.inf
