import pytest
import torch

from nasengine.layers import AvgPool, MaxPool, Pooling


def test_average_does_not_count_the_padding():
    x = torch.ones(1, 2, 5, 5)
    assert torch.equal(AvgPool(2)(x), x)
    assert torch.equal(AvgPool(2, stride=2)(x), x[:, :, :3, :3])


def test_maximum_of_three_by_three():
    x = torch.zeros(1, 1, 5, 5)
    x[0, 0, 2, 2] = 1.0
    assert MaxPool(1)(x).sum() == 9
    assert MaxPool(1, stride=2)(x).sum() == 1


@pytest.mark.parametrize("size", [1, 2, 7, 8])
def test_stride_halves_rounded_up(size):
    half = -(-size // 2)
    for layer in (MaxPool, AvgPool):
        assert layer(3, stride=2)(torch.randn(2, 3, size, size)).shape == (2, 3, half, half)
    assert MaxPool(3, kernel=2, stride=2)(torch.randn(2, 3, size, size)).shape == (2, 3, half, half)


def test_pooling_mixer_takes_the_centre_off():
    """PoolFormer (https://arxiv.org/abs/2111.11418): a constant map gives zero, at the border too."""
    layer = Pooling(1)
    assert layer(torch.full((1, 1, 4, 4), 3.0)).abs().max() == 0
    checkerboard = torch.tensor([[1.0, 0.0], [0.0, 1.0]]).reshape(1, 1, 2, 2)
    assert torch.equal(layer(checkerboard), 0.5 - checkerboard)
    assert not list(layer.parameters())


@pytest.mark.parametrize("layer", [MaxPool(3), AvgPool(3, stride=2), Pooling(3)])
def test_zero_stays_zero_as_declared(layer):
    assert layer.keeps_zero
    assert layer(torch.zeros(2, 3, 6, 6)).abs().max() == 0
