import pytest
import torch

from nasengine.layers import Attention


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
