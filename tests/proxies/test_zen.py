"""Zen-score (Lin et al., 2021, https://arxiv.org/abs/2102.01063)."""

import math

import pytest
import torch
from torch import nn

from nasengine.proxies.probe import Probe
from nasengine.proxies.zen import zen


def chain(depth: int = 3, norm: bool = True) -> nn.Sequential:
    layers: list[nn.Module] = []
    for i in range(depth):
        layers += [nn.Conv2d(3 if i == 0 else 16, 16, 3, padding=1, bias=False)]
        layers += [nn.BatchNorm2d(16), nn.ReLU()] if norm else [nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 4))


def probe(network: nn.Module) -> Probe:
    return Probe(network, [(torch.zeros(8, 3, 8, 8), torch.zeros(8).long())])


def test_scales_and_weights_of_the_network_do_not_matter() -> None:
    network, scaled = chain(), chain()
    for layer in scaled.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.constant_(layer.weight, 5.0)
            nn.init.constant_(layer.running_var, 9.0)
        elif isinstance(layer, nn.Conv2d):
            layer.weight.data *= 100
    assert zen(probe(network), repeats=2) == zen(probe(scaled), repeats=2)


def test_what_norms_divide_by_is_given_back() -> None:
    """The paper's theorem 1: the score with norms is that of the chain without, up to a small error."""
    with_norms, without = zen(probe(chain(5)), repeats=8), zen(probe(chain(5, norm=False)), repeats=8)
    assert with_norms == pytest.approx(without, abs=0.35)
    assert with_norms > 4  # norms without that would have kept it at about log 0.01 + log 1024 = 2.3


def test_deeper_chains_score_higher() -> None:
    scores = [zen(probe(chain(depth)), repeats=2) for depth in (1, 2, 4)]
    assert scores == sorted(scores)
    assert scores[2] > scores[0] + 3


def test_nothing_passes_is_minus_infinity() -> None:
    class Blind(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.zeros_like(x).mean((2, 3))

    assert zen(probe(Blind()), repeats=1) == -math.inf
