import pytest
import torch

from nasengine.layers import BatchNorm, ChannelNorm, GroupNorm, Norm


def test_norm_is_over_channels_and_positions_of_each_sample():
    x = 4 + 3 * torch.randn(2, 8, 5, 5)
    y = Norm(8)(x)
    assert torch.allclose(y.mean((1, 2, 3)), torch.zeros(2), atol=1e-5)
    assert torch.allclose(y.var((1, 2, 3), correction=0), torch.ones(2), atol=1e-3)
    assert Norm(8)(torch.zeros(1, 8, 2, 2)).abs().max() == 0
    assert [p.shape for p in Norm(8).parameters()] == [(8,)]


def test_batch_norm_settings():
    assert not list(BatchNorm(4, affine=False).parameters())
    assert len(list(BatchNorm(4).parameters())) == 2
    x = 2 + torch.randn(16, 4, 3, 3)
    assert torch.allclose(BatchNorm(4, track=False).eval()(x).mean((0, 2, 3)), torch.zeros(4), atol=1e-5)
    assert torch.allclose(BatchNorm(4).eval()(x), x, atol=1e-4), "fresh running statistics are zero and one"


def test_channel_norm_is_over_the_channels_of_each_position():
    x = 4 + 3 * torch.randn(2, 16, 5, 5)
    y = ChannelNorm(16)(x)
    assert torch.allclose(y.mean(1), torch.zeros(2, 5, 5), atol=1e-5)
    assert torch.allclose(y.var(1, correction=0), torch.ones(2, 5, 5), atol=1e-3)
    assert [p.shape for p in ChannelNorm(16).parameters()] == [(16,)], "no bias"
    assert ChannelNorm(16)(torch.zeros(1, 16, 2, 2)).abs().max() == 0


def test_group_norm_is_that_of_torch_with_one_group():
    """PoolFormer (https://arxiv.org/abs/2111.11418): weight and bias, epsilon 1e-5."""
    x, layer = torch.randn(2, 8, 5, 5), GroupNorm(8)
    with torch.no_grad():
        layer.weight.normal_(), layer.bias.normal_()
    published = torch.nn.GroupNorm(1, 8)
    published.load_state_dict(layer.state_dict())
    assert torch.equal(layer(x), published(x))


@pytest.mark.parametrize(("layer", "epsilon"), [(Norm, 1e-6), (ChannelNorm, 1e-6), (GroupNorm, 1e-5)])
def test_epsilons(layer, epsilon):
    """Where the variance equals epsilon, the output has a variance of one half."""
    x = torch.tensor([1.0, -1.0]).reshape(1, 2, 1, 1).double() * epsilon**0.5
    assert float(layer(2).double()(x).detach()[0, 0]) == pytest.approx(0.5**0.5, rel=1e-6)
