import pytest
import torch

from nasengine.layers import MLP, Expand, Pointwise


@pytest.mark.parametrize(("ratio", "hidden"), [(4, 32), (2, 16), (2.5, 20)])
def test_parameters_and_shape(ratio, hidden):
    """MetaFormer baselines (https://arxiv.org/abs/2210.13452): no biases, and StarReLU's two scalars."""
    layer = MLP(8, ratio=ratio)
    assert sum(p.numel() for p in layer.parameters()) == 2 * 8 * hidden + 2
    assert layer(torch.randn(2, 8, 3, 5)).shape == (2, 8, 3, 5)


def test_positions_do_not_mix():
    layer, x = MLP(4), torch.randn(1, 4, 3, 3)
    changed = x.clone()
    changed[:, :, 1, 1] += 1.0
    difference = (layer(changed) - layer(x)).abs().sum(1)[0] > 0
    assert difference.nonzero().tolist() == [[1, 1]]


@pytest.mark.parametrize(("bias", "biases"), [(False, 0), (True, 5 * 8)])
def test_halves_of_an_mlp(bias, biases):
    up, down = Expand(8, ratio=4, bias=bias), Pointwise(32, width=8, bias=bias)
    assert sum(p.numel() for layer in (up, down) for p in layer.parameters()) == 8 * 8**2 + biases
    assert down(up(torch.randn(2, 8, 3, 5))).shape == (2, 8, 3, 5)
