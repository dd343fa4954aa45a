import pytest
import torch

from nasengine.layers import (
    ConvNorm,
    ConvNormReLU,
    DilatedConv,
    InvertedBottleneck,
    ReLUConvNorm,
    SeparableConv,
    SepConv,
)


def parameters(layer):
    return sum(p.numel() for p in layer.parameters())


@pytest.mark.parametrize(
    ("layer", "count"),
    [
        (SeparableConv(16, kernel=3, affine=False), 800),
        (SeparableConv(16, kernel=5, affine=False), 1312),
        (DilatedConv(16, kernel=3, affine=False), 400),
        (DilatedConv(16, kernel=5, affine=False), 656),
        (SeparableConv(16, kernel=3), 800 + 4 * 16),
        (DilatedConv(16, kernel=3), 400 + 2 * 16),
        (ReLUConvNorm(16, 16, kernel=3), 9 * 16 * 16 + 2 * 16),
        (ReLUConvNorm(16, 16, kernel=1), 16 * 16 + 2 * 16),
    ],
)
def test_parameters_of_the_darts_and_nasbench201_operations(layer, count):
    """Counted from the definitions in DARTS (https://arxiv.org/abs/1806.09055) at 16 channels."""
    assert parameters(layer) == count


@pytest.mark.parametrize("channels", [64, 320])
def test_parameters_of_the_metaformer_mixer(channels):
    """MetaFormer baselines (https://arxiv.org/abs/2210.13452): 4C^2 + 98C weights and StarReLU's two."""
    assert parameters(SepConv(channels)) == 4 * channels**2 + 98 * channels + 2


@pytest.mark.parametrize(("channels", "width", "expand", "kernel"), [(32, 64, 3, 3), (64, 64, 6, 5)])
def test_parameters_of_the_inverted_bottleneck(channels, width, expand, kernel):
    """Two pointwise convolutions, a depthwise one, and a scale and a shift after each (MobileNetV2)."""
    hidden = channels * expand
    expected = channels * hidden + kernel**2 * hidden + hidden * width + 2 * (2 * hidden + width)
    assert parameters(InvertedBottleneck(channels, width, expand, kernel)) == expected


def test_the_inverted_bottleneck_ends_without_a_relu_and_conv_norm_relu_with_one():
    x = torch.randn(2, 4, 5, 5)
    assert InvertedBottleneck(4, 4)(x).min() < 0
    assert ConvNormReLU(4, 4)(x).min() == 0


@pytest.mark.parametrize("size", [1, 2, 7, 8])
@pytest.mark.parametrize("kernel", [3, 5])
def test_stride_alone_sets_the_size(size, kernel):
    x = torch.randn(2, 4, size, size)
    half = -(-size // 2)
    for layer in (SeparableConv, DilatedConv):
        assert layer(4, kernel=kernel)(x).shape == (2, 4, size, size)
        assert layer(4, kernel=kernel, stride=2)(x).shape == (2, 4, half, half)
    assert ConvNorm(4, 6, kernel=kernel, stride=2)(x).shape == (2, 6, half, half)
    assert InvertedBottleneck(4, 6, kernel=kernel, stride=2)(x).shape == (2, 6, half, half)
    assert SepConv(4, kernel=kernel)(x).shape == x.shape


def test_dilation_reaches_two_pixels():
    x = torch.zeros(1, 1, 9, 9)
    x[0, 0, 4, 4] = 1.0
    reached = DilatedConv(1).eval()(x)[0, 0].nonzero()
    assert {tuple(p.tolist()) for p in reached} == {(r, c) for r in (2, 4, 6) for c in (2, 4, 6)}


def test_the_relu_comes_before_the_convolution_and_leaves_the_input_alone():
    x = -torch.rand(2, 4, 5, 5)
    before = x.clone()
    for layer in (ReLUConvNorm(4, 4), SeparableConv(4), DilatedConv(4)):
        assert layer(x).abs().max() == 0, "negative values must not pass"
    assert ConvNorm(4, 4)(x).abs().max() > 0
    assert torch.equal(x, before)


def test_norm_without_running_statistics_normalises_by_the_batch_at_evaluation():
    x = 5 + 3 * torch.randn(8, 4, 6, 6)
    y = ReLUConvNorm(4, 4, affine=False, track=False).eval()(x)
    assert torch.allclose(y.mean((0, 2, 3)), torch.zeros(4), atol=1e-5)
    assert torch.allclose(y.var((0, 2, 3), correction=0), torch.ones(4), atol=1e-3)
