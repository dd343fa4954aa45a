import pytest
import torch

from nasengine.layers import GELU, ReLU, StarReLU


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
    with torch.no_grad():
        y = StarReLU(1, scale=0.8944, bias=-0.4472)(x)
    assert float(y.mean()) == pytest.approx(0.0, abs=0.01)
    assert float(y.var()) == pytest.approx(1.0, abs=0.02)


def test_the_code_of_metaformer_starts_from_one_and_zero():
    assert [float(p.detach()) for p in StarReLU(3).parameters()] == [1.0, 0.0]


def test_gelu_is_the_exact_one():
    x = torch.linspace(-3, 3, 13)
    assert torch.allclose(GELU(3)(x), x * 0.5 * (1 + torch.erf(x / 2**0.5)), atol=1e-6)
