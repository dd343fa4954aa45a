import pytest
import torch
from torch import nn

from nasengine.layers import ConvNormActivation, DepthwiseConv, GroupedMBConv, MBConv, PointwiseInTwo, SqueezeExcite
from nasengine.layers.inverted_residual import rounded


def parameters(layer):
    return sum(p.numel() for p in layer.parameters())


@pytest.mark.parametrize(("width", "whole"), [(24 * 0.54, 16), (40 * 0.51, 24), (80 * 0.54, 40), (1, 8), (112, 112)])
def test_widths_are_rounded_as_in_mobilenet(width, whole):
    """The first three are those of TinyNets (https://arxiv.org/abs/2010.14819)."""
    assert rounded(width) == whole


def test_parameters_are_those_of_the_definitions():
    """A block of MobileNetV3-Large, from 40 to 40 channels by way of 120, of which 32 remain when squeezed."""
    excite = (120 * 32 + 32) + (32 * 120 + 120)
    block = 40 * 120 + 2 * 120 + 25 * 120 + 2 * 120 + 120 * 40 + 2 * 40
    assert parameters(MBConv(40, 40, expand=3, kernel=5)) == block
    assert parameters(MBConv(40, 40, expand=3, kernel=5, squeeze=0.25, gate="hard_sigmoid")) == block + excite
    assert parameters(DepthwiseConv(32, 16)) == 9 * 32 + 2 * 32 + 32 * 16 + 2 * 16
    assert parameters(GroupedMBConv(16, 32, expand=1)) == parameters(MBConv(16, 32, expand=1)) - 16 * 8 - 16 * 16


def test_squeezed_channels_are_rounded_by_the_gate():
    assert SqueezeExcite(72, 1 / 12).reduce.out_channels == 6
    assert SqueezeExcite(72, 0.25, gate="hard_sigmoid").reduce.out_channels == 24
    assert SqueezeExcite(200, 0.25, gate="hard_sigmoid").reduce.out_channels == 48


def test_a_gate_is_between_nothing_and_all():
    x = torch.rand(2, 8, 5, 5) + 0.1
    layer = SqueezeExcite(8, gate="hard_sigmoid")
    share = layer(x) / x
    assert ((share >= 0) & (share <= 1)).all()
    assert torch.allclose(share, share[:, :, :1, :1].expand_as(share), atol=1e-5)
    nn.init.constant_(layer.expand.bias, 10.0)
    assert torch.equal(layer(x), x)


@pytest.mark.parametrize("size", [1, 2, 7, 8])
def test_stride_alone_sets_the_size(size):
    x, half = torch.randn(2, 8, size, size), -(-size // 2)
    for layer in (ConvNormActivation, DepthwiseConv, MBConv, GroupedMBConv):
        assert layer(8, 6, kernel=5)(x).shape == (2, 6, size, size)
        assert layer(8, 6, kernel=3, stride=2)(x).shape == (2, 6, half, half)


def permutation(channels: int, together: int) -> torch.Tensor:
    """Where the channels of a convolution in two halves stand when the halves alternate."""
    return torch.arange(channels).reshape(2, -1, together).transpose(0, 1).flatten()


def test_two_groups_are_a_grouped_convolution_in_another_order():
    torch.manual_seed(0)
    layer, x = PointwiseInTwo(8, 12, together=2), torch.randn(2, 8, 3, 3)
    grouped = nn.Conv2d(8, 12, 1, groups=2, bias=False)
    grouped.weight.data = torch.cat((layer.even.weight, layer.odd.weight)).detach()
    halves = torch.cat((x[:, 0::2], x[:, 1::2]), 1)
    assert torch.allclose(layer(x), grouped(halves)[:, permutation(12, 2)], atol=1e-6)


def test_each_group_of_the_second_convolution_reads_of_both_groups_of_the_first():
    first, second = PointwiseInTwo(8, 16, together=2), PointwiseInTwo(16, 8)
    for group in (0, 1):
        x = torch.zeros(1, 8, 1, 1)
        x[:, group::2] = 1.0
        reached = first(x)
        assert (reached != 0).sum() == 8
        assert (reached[:, 0::2] != 0).sum() == (reached[:, 1::2] != 0).sum() == 4
        assert (second(reached) != 0).all()


@pytest.mark.parametrize(("channels", "width"), [(7, 8), (8, 6)])
def test_channels_that_two_groups_cannot_share_are_refused(channels, width):
    with pytest.raises(ValueError, match="multiple of 4"):
        PointwiseInTwo(channels, width, together=2)
