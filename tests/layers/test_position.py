import torch

from nasengine.layers import PositionConv, PositionMap


def test_the_map_is_added_and_resized_where_another_size_comes():
    layer = PositionMap(3, size=(2, 4))
    x = torch.randn(2, 3, 2, 4)
    assert torch.equal(layer(x) - x, (x + layer.map) - x)
    with torch.no_grad():
        layer.map.fill_(0.5)
    other = torch.zeros(2, 3, 5, 7)
    assert torch.allclose(layer(other), torch.full_like(other, 0.5)), "a constant map stays one at any size"
    assert layer.state_dict()["map"].shape == (1, 3, 2, 4)


def test_the_convolution_is_added_to_what_came_in():
    layer, x = PositionConv(4), torch.randn(2, 4, 5, 3)
    assert sum(p.numel() for p in layer.parameters()) == 4 * 9 + 4
    assert torch.allclose(layer(x), x + layer.depthwise(x))
