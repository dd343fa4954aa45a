import pytest
import torch

from nasengine.interpreters.cost import Cost, cost
from nasengine.layers import SelfAttention, WindowAttention
from nasengine.space import Architecture, Space, op


def test_equals_attention_written_out_head_by_head_where_heads_reach_over_the_width():
    torch.manual_seed(0)
    layer, x = SelfAttention(6, head=4).double(), torch.randn(2, 6, 3, 5, dtype=torch.float64)
    query, key, value = (f(x).flatten(2) for f in (layer.query, layer.key, layer.value))
    heads = []
    for start in (0, 4):
        q, k, v = (t[:, start : start + 4] for t in (query, key, value))
        share = torch.softmax(torch.einsum("bcn,bcm->bnm", q, k) / 2.0, dim=-1)
        heads.append(torch.einsum("bnm,bcm->bcn", share, v))
    assert torch.allclose(layer(x), layer.out(torch.cat(heads, 1).reshape(2, 8, 3, 5)), atol=1e-12)


def test_weights_of_a_width_that_heads_divide_are_those_of_vit():
    """Queries, keys, values and output with biases: 4 C^2 + 4 C (ViT, https://arxiv.org/abs/2010.11929)."""
    assert sum(p.numel() for p in SelfAttention(64).parameters()) == 4 * 64**2 + 4 * 64


@pytest.mark.parametrize("size", [(6, 9), (7, 5), (1, 1), (4, 11)])
def test_a_window_is_attention_alone_over_its_positions(size):
    """Each window by itself through attention over all of its positions, where windows divide the map and where not."""
    torch.manual_seed(0)
    layer = WindowAttention(8, head=4, window=3).double()
    alone = SelfAttention(8, head=4).double()
    alone.load_state_dict(layer.state_dict())
    x = torch.randn(2, 8, *size, dtype=torch.float64)
    height, width = (-(-side // -(-side // 3)) for side in size)
    expected = torch.empty_like(x)
    for top in range(0, size[0], height):
        for left in range(0, size[1], width):
            window = (slice(None), slice(None), slice(top, top + height), slice(left, left + width))
            expected[window] = alone(x[window])
    assert torch.allclose(layer(x), expected, atol=1e-12)


def test_a_window_as_large_as_the_map_is_attention_over_all_of_it():
    layer, x = WindowAttention(8, head=4, window=7), torch.randn(2, 8, 5, 7)
    assert torch.allclose(layer(x), SelfAttention.forward(layer, x), atol=1e-6)


def test_multiply_adds_grow_with_the_window_not_with_the_map():
    def of(layer: type, **settings: int) -> Cost:
        return cost(Space("priced", (8, 12, 12), op(layer, head=4, **settings)), Architecture({}))

    projections = 144 * 4 * 64
    assert of(SelfAttention).macs == projections + 2 * 144 * 144 * 8
    assert of(WindowAttention, window=4).macs == projections + 2 * 144 * 16 * 8
