import pytest
import torch

from nasengine.layers import ReLU, StarReLU


def test_what_is_negative_becomes_zero():
    assert ReLU(3)(torch.tensor([-2.0, 0.0, 3.0])).tolist() == [0.0, 0.0, 3.0]


def test_squared_relu_with_a_learned_scale_and_bias():
    layer = StarReLU(3)
    x = torch.tensor([-2.0, 0.0, 3.0])
    assert layer(x).tolist() == [0.0, 0.0, 9.0]
    with torch.no_grad():
        layer.scale.fill_(2.0)
        layer.bias.fill_(-1.0)
    assert layer(x).tolist() == [-1.0, -1.0, 17.0]


def test_paper_constants_normalise_a_unit_gaussian():
    """MetaFormer baselines (https://arxiv.org/abs/2210.13452): scale 0.8944 and bias -0.4472."""
    x = torch.randn(1_000_000, generator=torch.Generator().manual_seed(0))
    layer = StarReLU(1)
    with torch.no_grad():
        layer.scale.fill_(0.8944)
        layer.bias.fill_(-0.4472)
        y = layer(x)
    assert float(y.mean()) == pytest.approx(0.0, abs=0.01)
    assert float(y.var()) == pytest.approx(1.0, abs=0.02)
