"""Scores from which activations are on for which images, at random weights.

An activation is on where what comes into it is positive. ReLU counts wherever it stands (so the one within StarReLU),
and, our extension, the other activations of `watching.ACTIVATIONS` (GELU, SiLU, hard swish, …), which the papers do
not speak of; sigmoids and softmax do not.
"""

import math

import torch
from torch import Tensor

from nasengine.errors import NasError
from nasengine.proxies.probe import Probe


def naswot(probe: Probe) -> float:
    """The log-determinant of how many units each two images agree in; minus infinity where two agree in all.

    Neural architecture search without training (Mellor et al., 2021, https://arxiv.org/abs/2006.04647).
    """
    kernel = agreement(_signs(probe, "naswot"))
    off_diagonal = kernel - torch.diag(kernel.diagonal())
    if (off_diagonal == kernel.diagonal()).any():  # rounding must not turn a determinant of 0 into a number
        return -math.inf
    return float(torch.linalg.slogdet(kernel).logabsdet)


def agreement(signs: list[Tensor]) -> Tensor:
    """(batch, batch) in float64: in how many units two images agree, both on or both off."""
    total = torch.zeros(len(signs[0]), len(signs[0]), dtype=torch.float64, device=signs[0].device)
    for on in signs:
        code = on.float() * 2 - 1  # a product of such codes is the units less twice those that differ: exact to 2^24
        total += (on.shape[1] + (code @ code.T).double()) / 2
    return total


def swap(probe: Probe, mu: float | None = None, sigma: float | None = None) -> float:
    """How many different patterns over the images the units have; at most their number, and 2^batch.

    SWAP-NAS (Peng et al., 2024, https://arxiv.org/abs/2403.04161). With `mu` and `sigma`, in thousands of parameters
    (sigma's are squared), it is regularised: times exp(-(parameters - mu)² / sigma).
    """
    words = torch.cat([packed(on) for on in _signs(probe, "swap")], 1)
    score = float(torch.unique(words, dim=1).shape[1] if len(words) > 1 else len(torch.unique(words[0])))
    if mu is None or sigma is None:
        return score
    thousands = sum(parameter.numel() for parameter in probe.network.parameters()) / 1000
    return score * math.exp(-((thousands - mu) ** 2) / sigma)


def packed(on: Tensor) -> Tensor:
    """Each unit's pattern over the images, (batch, units) in bool, as words of 64 bits: (words, units)."""
    words = []
    for part in on.split(64):
        word = torch.zeros(on.shape[1], dtype=torch.int64, device=on.device)
        for bit, row in enumerate(part):
            word |= row.long() << bit
        words.append(word)
    return torch.stack(words)


def _signs(probe: Probe, name: str) -> list[Tensor]:
    signs = probe.run().signs
    if not signs:
        raise NasError(
            f"proxy {name}: the network has no activation that is on or off; ReLU, GELU, SiLU and the like are; "
            "take another proxy for such a network"
        )
    return signs
