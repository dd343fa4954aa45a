import pytest
import torch

from nasengine.layers import BottleneckConv, FactorizedConv


def parameters(layer):
    return sum(p.numel() for p in layer.parameters())


def test_parameters_are_those_of_the_definitions():
    """Three and four convolutions without bias, a scale and a shift after each."""
    assert parameters(BottleneckConv(32, 24, hidden=8)) == 32 * 8 + 9 * 64 + 8 * 24 + 2 * (8 + 8 + 24)
    assert parameters(FactorizedConv(32, 24, hidden=8)) == 32 * 8 + 2 * 7 * 64 + 8 * 24 + 2 * (8 + 8 + 8 + 24)


@pytest.mark.parametrize("size", [1, 2, 7, 8])
def test_stride_alone_sets_the_size(size):
    x, half = torch.randn(2, 4, size, size), -(-size // 2)
    for layer in (BottleneckConv, FactorizedConv):
        assert layer(4, 6, hidden=2, kernel=5)(x).shape == (2, 6, size, size)
        assert layer(4, 6, hidden=2, kernel=3, stride=2)(x).shape == (2, 6, half, half)
    assert BottleneckConv(4, 6, hidden=2, dilation=2, stride=2)(x).shape == (2, 6, half, half)


def reached(layer) -> set[tuple[int, int]]:
    """Which outputs one pixel in the middle of 9 by 9 changes."""
    x = torch.zeros(1, 4, 9, 9)
    without = layer.eval()(x)
    x[0, :, 4, 4] = 5.0
    return {tuple(p.tolist()) for p in (layer(x) - without).abs().amax(1)[0].nonzero()}


def test_a_row_and_a_column_reach_a_square_and_dilation_two_pixels():
    torch.manual_seed(0)
    assert reached(FactorizedConv(4, 4, hidden=16, kernel=7)) == {(r, c) for r in range(1, 8) for c in range(1, 8)}
    dilated = BottleneckConv(4, 4, hidden=16, dilation=2)
    assert reached(dilated) == {(r, c) for r in (2, 4, 6) for c in (2, 4, 6)}
