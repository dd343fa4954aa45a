import pytest
import torch

from nasengine.layers import ChannelNorm, Downsampling


def parameters(layer):
    return sum(p.numel() for p in layer.parameters())


def test_parameters_of_stem_and_downsampling():
    """MetaFormer (https://arxiv.org/abs/2210.13452): 149C and C + 9CD + D; PoolFormer's stem lacks the norm: 148C."""
    assert parameters(Downsampling(3, 64, kernel=7, stride=4, padding=2, norm="after")) == 149 * 64
    assert parameters(Downsampling(3, 64, kernel=7, stride=4, padding=2, norm="none")) == 148 * 64
    assert parameters(Downsampling(64, 128)) == 64 + 9 * 64 * 128 + 128


@pytest.mark.parametrize(("size", "stem", "later"), [(224, 56, 28), (384, 96, 48)])
def test_sizes_of_the_published_maps(size, stem, later):
    with torch.device("meta"):
        x = Downsampling(3, 8, kernel=7, stride=4, padding=2, norm="after")(torch.empty(1, 3, size, size))
        assert x.shape == (1, 8, stem, stem)
        assert Downsampling(8, 16)(x).shape == (1, 16, later, later)


def test_the_norm_stands_where_it_is_said_to():
    torch.manual_seed(0)
    x = torch.randn(2, 4, 6, 6)
    before, after = Downsampling(4, 8), Downsampling(4, 8, norm="after")
    assert torch.equal(before(x), before.conv(ChannelNorm(4)(x)))
    assert torch.equal(after(x), ChannelNorm(8)(after.conv(x)))
