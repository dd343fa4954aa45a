"""MeCo (Jiang et al., 2023)."""

import pytest
import torch
from torch import nn

from nasengine.layers import ChannelNorm
from nasengine.proxies.meco import least_eigenvalue, meco
from nasengine.proxies.probe import Probe


def probe(width: int, side: int = 8, *more: nn.Module) -> Probe:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, width, 3, padding=1), nn.ReLU(), *more)
    return Probe(network, [(torch.zeros(2, 3, side, side), torch.zeros(2).long())])


def test_uncorrelated_channels_have_the_eigenvalue_one_and_equal_ones_zero() -> None:
    rows = torch.linalg.qr(torch.cat([torch.ones(32, 1), torch.randn(32, 4)], 1).double())[0][:, 1:].T
    assert least_eigenvalue(rows) == pytest.approx(1)
    assert least_eigenvalue(torch.randn(1, 32).expand(2, -1)) == pytest.approx(0, abs=1e-12)
    assert least_eigenvalue(torch.cat([rows, torch.ones(1, 32)])) == 0


def test_more_channels_than_pixels_are_always_correlated() -> None:
    assert meco(probe(2)) > 0.1
    assert 0 <= meco(probe(65)) < 1e-6


def test_larger_images_tell_more_channels_apart() -> None:
    asked = probe(24)
    assert meco(asked, side=24) > meco(asked) >= 0


def test_functions_and_norms_over_the_last_dimension_count_as_well() -> None:
    assert meco(probe(4, 8, ChannelNorm(4))) > meco(probe(4))  # its rows are channels, not the 8 lines of pixels
    assert meco(probe(4, 8, nn.Identity())) == meco(probe(4))


def test_one_pixel_is_no_hindrance() -> None:
    assert meco(probe(4, 8, nn.AdaptiveAvgPool2d(1), nn.BatchNorm2d(4))) == pytest.approx(meco(probe(4)))
