import pytest
import torch
from torch import nn

from nasengine.layers import AuxiliaryHead, Classifier


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
