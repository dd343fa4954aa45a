import torch

from nasengine.layers import BatchNorm, Norm


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
