import pytest
import torch
from torch.nn import functional

from nasengine.layers import InceptionMixer


def written_out(layer: InceptionMixer, x: torch.Tensor, heads: int, pool: int) -> torch.Tensor:
    """iFormer (https://arxiv.org/abs/2205.12956), one part after the other and head by head."""
    low, high = x[:, : layer.low], x[:, layer.low :]
    small = functional.avg_pool2d(low, pool) if pool > 1 else low
    query, key, value = (f(small).flatten(2) for f in (layer.query, layer.key, layer.value))
    attended = []
    for q, k, v in zip(*(t.chunk(heads, 1) for t in (query, key, value)), strict=True):
        share = torch.softmax(torch.einsum("bcn,bcm->bnm", q, k) / layer.head**0.5, dim=-1)
        attended.append(torch.einsum("bnm,bcm->bcn", share, v))
    whole = torch.cat(attended, 1).reshape(small.shape)
    if pool > 1:
        whole = whole.repeat_interleave(pool, 2).repeat_interleave(pool, 3)
    convolved = functional.gelu(layer.depthwise(layer.conv(high[:, ::2])))
    pooled = functional.gelu(layer.pooled(functional.max_pool2d(high[:, 1::2], 3, 1, 1)))
    both = torch.empty(x.shape[0], 2 * high.shape[1], *x.shape[2:], dtype=x.dtype)
    both[:, ::2], both[:, 1::2] = convolved, pooled
    mixed = torch.cat((whole, both), 1)
    return layer.out(mixed + layer.fuse(mixed))


@pytest.mark.parametrize(("heads", "pool"), [(1, 2), (2, 1), (3, 1)])
def test_equals_the_paper_written_out(heads, pool):
    torch.manual_seed(0)
    layer = InceptionMixer(16, heads=heads, head=4, pool=pool).double()
    x = torch.randn(2, 16, 4, 6, dtype=torch.float64)
    assert torch.allclose(layer(x), written_out(layer, x, heads, pool), atol=1e-12)


def test_parameters_at_the_published_width():
    """Stage 3 of iFormer-S: 7 heads of 32 attend, 96 channels are convolved and pooled."""
    low, high, channels = 7 * 32, 96, 320
    attention, conv, pool = 3 * (low + 1) * low, high // 2 * high + 9 * high, high // 2 * high + high
    mixing = 9 * (low + 2 * high) + (low + 2 * high + 1) * channels
    assert sum(p.numel() for p in InceptionMixer(channels, heads=7).parameters()) == attention + conv + pool + mixing


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (7, 7)])
def test_maps_that_pooling_does_not_divide_keep_their_size(size):
    assert InceptionMixer(8, heads=1, head=4, pool=2)(torch.randn(2, 8, *size)).shape == (2, 8, *size)


@pytest.mark.parametrize("heads", [0, 4, 5])
def test_heads_must_leave_channels_for_the_convolutions(heads):
    with pytest.raises(ValueError, match=f"16 channels came with heads={heads} of 4; at least one head must attend"):
        InceptionMixer(16, heads=heads, head=4)
