"""Synaptic flow: what Tanaka et al., 2020 (https://arxiv.org/abs/2006.05467) prove of it, and what depends on it."""

import math

import pytest
import torch
from torch import nn

from nasengine.proxies.probe import Probe
from nasengine.proxies.synflow import flows, synflow, synflow_bn


def chain(norm: bool = False) -> nn.Sequential:
    torch.manual_seed(0)
    layers: list[nn.Module] = [nn.Conv2d(3, 8, 3, bias=False)]
    layers += [nn.BatchNorm2d(8)] if norm else []
    layers += [nn.ReLU(), nn.Conv2d(8, 8, 3, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(128, 5, bias=False)]
    return nn.Sequential(*layers)


def probe(network: nn.Module, seed: int = 0) -> Probe:
    torch.manual_seed(seed)
    return Probe(network, [(torch.randn(4, 3, 8, 8), torch.randint(0, 5, (4,)))])


def test_every_layer_of_a_chain_carries_the_whole_flow() -> None:
    network = chain()
    positive = nn.Sequential(*chain()).double()
    for weight in positive.parameters():
        weight.data.abs_()
    flow = float(positive(torch.ones(1, 3, 8, 8, dtype=torch.float64)).detach().sum())
    assert list(flows(probe(network)).values()) == pytest.approx([flow] * 3, rel=1e-12)
    assert synflow(probe(network)) == pytest.approx(math.log(3 * flow), rel=1e-12)


def test_data_and_signs_do_not_matter() -> None:
    network = chain()
    flipped = chain()
    for weight in flipped.parameters():
        weight.data *= torch.randint_like(weight, 0, 2) * 2 - 1
    assert synflow(probe(network)) == synflow(probe(network, seed=1)) == synflow(probe(flipped))


def test_norms_are_bypassed_or_stay() -> None:
    assert synflow(probe(chain(norm=True))) == synflow(probe(chain()))
    assert synflow_bn(probe(chain(norm=True))) != pytest.approx(synflow(probe(chain())), rel=0.01)


def test_deep_networks_do_not_overflow() -> None:
    torch.manual_seed(0)
    deep = nn.Sequential(*[nn.Conv2d(3 if i == 0 else 64, 64, 3, padding=1) for i in range(60)], nn.Flatten())
    assert (
        88 < synflow(Probe(deep, [(torch.ones(2, 3, 4, 4), torch.zeros(2, dtype=torch.long))])) < 700
    )  # exp(88): 3e38


def test_nothing_passes_is_minus_infinity() -> None:
    network = chain()
    nn.init.zeros_(network[2].weight)
    assert synflow(probe(network)) == -math.inf
