import torch

from nasengine.layers import TokenMLP


def test_every_channel_is_mixed_alike_over_all_positions():
    torch.manual_seed(0)
    layer, x = TokenMLP(5, size=(2, 3), hidden=4).double(), torch.randn(2, 5, 2, 3, dtype=torch.float64)
    hidden = torch.nn.functional.gelu(x.reshape(2, 5, 6) @ layer.up.weight.T + layer.up.bias)
    assert torch.allclose(layer(x).reshape(2, 5, 6), hidden @ layer.down.weight.T + layer.down.bias, atol=1e-12)
    assert sum(p.numel() for p in layer.parameters()) == 2 * 6 * 4 + 4 + 6


def test_another_size_is_brought_to_its_own_and_back():
    layer = TokenMLP(5, size=(2, 3), hidden=4)
    assert layer(torch.randn(2, 5, 7, 4)).shape == (2, 5, 7, 4)
