"""The Jacobian covariance score (https://arxiv.org/abs/2006.04647v1)."""

import math

import pytest
import torch
from torch import nn

from nasengine.proxies.jacobian import K, jacob_cov, spread
from nasengine.proxies.probe import Probe


def test_uncorrelated_gradients_reach_the_maximum() -> None:
    rows = torch.linalg.qr(torch.cat([torch.ones(64, 1), torch.randn(64, 8)], 1).double())[0][:, 1:].T  # zero means
    most = -8 * (math.log(1 + K) + 1 / (1 + K))
    assert spread(rows) == pytest.approx(most, rel=1e-9)
    assert spread(torch.randn(8, 64)) < most


def test_equal_gradients_are_far_below() -> None:
    linear = nn.Sequential(nn.Flatten(), nn.Linear(12, 3))  # every image has the same gradient
    assert jacob_cov(Probe(linear, [(torch.randn(4, 3, 2, 2), torch.zeros(4).long())])) < -1e5


def test_nothing_passes_is_no_number() -> None:
    linear = nn.Sequential(nn.Flatten(), nn.Linear(12, 3))
    nn.init.zeros_(linear[1].weight)
    assert math.isnan(jacob_cov(Probe(linear, [(torch.randn(4, 3, 2, 2), torch.zeros(4).long())])))
