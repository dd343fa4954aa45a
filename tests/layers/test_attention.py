import pytest
import torch

from nasengine.layers import Attention, RandomMixing


def test_equals_attention_written_out_head_by_head():
    torch.manual_seed(0)
    layer, x = Attention(8, head=4).double(), torch.randn(2, 8, 3, 2, dtype=torch.float64)
    query, key, value = (f(x).flatten(2) for f in (layer.query, layer.key, layer.value))
    heads = []
    for start in (0, 4):
        q, k, v = (t[:, start : start + 4] for t in (query, key, value))
        share = torch.softmax(torch.einsum("bcn,bcm->bnm", q, k) / 2.0, dim=-1)
        heads.append(torch.einsum("bnm,bcm->bcn", share, v))
    expected = layer.out(torch.cat(heads, 1).reshape(x.shape))
    assert torch.allclose(layer(x), expected, atol=1e-12)


def test_parameters_and_tokens():
    layer = Attention(64, head=32)
    assert sum(p.numel() for p in layer.parameters()) == 4 * 64**2
    assert layer(torch.randn(2, 64, 10, 1)).shape == (2, 64, 10, 1)


def test_heads_must_divide_the_channels():
    with pytest.raises(ValueError, match="24 channels.*heads of 16"):
        Attention(24, head=16)


def test_no_matrix_of_positions_by_positions_is_kept():
    layer, sizes = Attention(32, head=16), []

    def pack(tensor):
        sizes.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        layer(torch.randn(1, 32, 16, 16))
    assert max(sizes) == 32 * 256, "the map itself; the matrix would be 2 * 256 * 256"


def test_random_mixing_averages_positions_by_a_matrix_that_never_learns():
    """RandFormer (https://arxiv.org/abs/2210.13452): rows are softmaxes of uniform numbers, 196 positions squared."""
    torch.manual_seed(0)
    layer = RandomMixing(8, positions=196)
    assert [(p.numel(), p.requires_grad) for p in layer.parameters()] == [(196**2, False)]
    assert torch.allclose(layer.matrix.sum(1), torch.ones(196)) and layer.matrix.min() > 0
    spread = layer.matrix.amax(1) / layer.matrix.amin(1)
    assert float(spread.min()) > 2.5 and float(spread.max()) < 2.7183, "the softmax of numbers between 0 and 1"
    x = torch.randn(2, 8, 14, 14)
    expected = torch.einsum("mn,bcn->bcm", layer.matrix, x.flatten(2)).reshape(x.shape)
    assert torch.allclose(layer(x), expected, atol=1e-6)


def test_random_mixing_is_for_one_image_size():
    with pytest.raises(ValueError, match="64 positions came; it mixes 49"):
        RandomMixing(8, positions=49)(torch.randn(1, 8, 8, 8))
