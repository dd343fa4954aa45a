import pytest
import torch
from torch import nn

from nasengine.layers import AuxiliaryHead, Classifier, MLPClassifier, NormClassifier


def parameters(layer):
    return sum(p.numel() for p in layer.parameters())


def test_parameters_of_the_darts_auxiliary_heads():
    """DARTS at 36 channels on CIFAR-10 and CIFAR-100, at 48 on ImageNet, where the last norm is missing."""
    assert parameters(AuxiliaryHead(4 * 4 * 36, 10)) == 476_426
    assert parameters(AuxiliaryHead(4 * 4 * 36, 100)) == 545_636
    assert parameters(AuxiliaryHead(3 * 4 * 36, 10)) == 457_994
    assert parameters(AuxiliaryHead(4 * 4 * 48, 1000, last_norm=False)) == 1_260_776


@pytest.mark.parametrize(("size", "stride"), [(8, 3), (7, 2)])
def test_published_maps_are_pooled_as_published(size, stride):
    x = torch.randn(2, 4, size, size)
    published = nn.AvgPool2d(5, stride=stride, padding=0, count_include_pad=False)
    assert torch.equal(AuxiliaryHead(4, 10).pooled(x), published(x))


@pytest.mark.parametrize("size", [1, 2, 5, 8, 16])
def test_auxiliary_head_takes_maps_of_any_size(size):
    assert AuxiliaryHead(4, 10)(torch.randn(2, 4, size, size)).shape == (2, 10)


def test_classifier_is_the_linear_layer_of_the_mean():
    layer, x = Classifier(4, classes=3), torch.randn(2, 4, 5, 5)
    assert torch.allclose(layer(x), layer.linear(x.mean((2, 3))))
    assert parameters(layer) == 4 * 3 + 3


def test_classifier_with_norm_pools_what_the_relu_leaves():
    layer = Classifier(4, classes=3, norm=True).eval()
    assert parameters(layer) == 4 * 3 + 3 + 2 * 4
    assert torch.allclose(layer(-torch.rand(2, 4, 5, 5)), layer.linear.bias.expand(2, 3))


def test_heads_of_the_metaformer_baselines():
    """MetaFormer (https://arxiv.org/abs/2210.13452): 2C and 1000C + 1000, or 2C and 4C^2 + 12C + 4000C + 1000."""
    assert parameters(NormClassifier(512, 1000)) == 2 * 512 + 1000 * 512 + 1000
    assert parameters(MLPClassifier(512, 1000)) == 2 * 512 + 4 * 512**2 + 12 * 512 + 4000 * 512 + 1000


def test_linear_head_normalises_the_mean():
    layer, x = NormClassifier(8, classes=3), 5 + 2 * torch.randn(2, 8, 4, 4)
    mean = x.mean((2, 3))
    centred = mean - mean.mean(1, keepdim=True)
    normal = centred / (mean.var(1, correction=0, keepdim=True) + 1e-6).sqrt()
    assert torch.allclose(layer(x), layer.linear(normal), atol=1e-5)


def test_mlp_head_squares_what_the_relu_leaves():
    layer, x = MLPClassifier(4, classes=3, dropout=0.5).eval(), torch.randn(2, 4, 3, 3)
    hidden = layer.up(layer.norm(x.mean((2, 3))))
    squared = torch.where(hidden > 0, hidden**2, torch.zeros_like(hidden))
    assert torch.allclose(layer(x), layer.linear(layer.hidden_norm(squared)))
    layer.train()
    assert not torch.equal(layer(x), layer(x)), "dropout"
