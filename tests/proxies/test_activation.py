"""Scores from activation patterns (Mellor et al., 2021, https://arxiv.org/abs/2006.04647; Peng et al., 2024)."""

import math

import pytest
import torch
from torch import nn

from nasengine.errors import NasError
from nasengine.proxies.activation import agreement, naswot, packed, swap
from nasengine.proxies.probe import Probe


def probe(number: int = 8, images: torch.Tensor | None = None) -> Probe:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 3), nn.GELU(), nn.Flatten(), nn.Linear(32, 5)
    )
    x = torch.randn(number, 3, 8, 8) if images is None else images
    return Probe(network, [(x, torch.zeros(len(x), dtype=torch.long))])


UNITS = 4 * 6 * 6 + 2 * 4 * 4


def test_the_kernel_counts_units_less_the_hamming_distance() -> None:
    asked = probe()
    signs = torch.cat(asked.run().signs, 1)
    kernel = agreement(asked.run().signs)
    assert kernel.diagonal().tolist() == [UNITS] * 8
    assert kernel[0, 1] == UNITS - int((signs[0] != signs[1]).sum())
    assert naswot(asked) == pytest.approx(float(torch.logdet(kernel)), rel=1e-12)


def test_two_equal_images_are_the_worst_there_is() -> None:
    x = torch.randn(8, 3, 8, 8)
    x[3] = x[5]
    assert naswot(probe(images=x)) == -math.inf


def test_patterns_are_those_over_the_images() -> None:
    asked = probe(70)
    signs = torch.cat(asked.run().signs, 1)
    assert swap(asked) == len({tuple(unit) for unit in signs.T.tolist()})
    words = packed(signs)
    assert words.shape == (2, UNITS)
    assert [bool(words[69 // 64, unit] >> 69 % 64 & 1) for unit in range(UNITS)] == signs[69].tolist()


@pytest.mark.parametrize("number", [2, 3, 64])
def test_there_are_at_most_as_many_patterns_as_units_and_as_signs_allow(number: int) -> None:
    assert 1 <= swap(probe(number)) <= min(UNITS, 2**number)
    assert swap(probe(2)) == 4


def test_size_regularises() -> None:
    asked = probe()
    thousands = sum(parameter.numel() for parameter in asked.network.parameters()) / 1000
    assert swap(asked, mu=thousands, sigma=1) == swap(asked)
    assert swap(asked, mu=thousands + 2, sigma=4) == pytest.approx(swap(asked) / math.e)


def test_a_network_without_activations_is_refused() -> None:
    linear = Probe(nn.Sequential(nn.Flatten(), nn.Linear(12, 2)), [(torch.randn(4, 3, 2, 2), torch.zeros(4).long())])
    with pytest.raises(NasError, match="proxy naswot: the network has no activation"):
        naswot(linear)
