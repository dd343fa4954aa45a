import pytest
import torch

from nasengine.layers import UniNetConv, UniNetDepthwise, UniNetSeparable


def parameters(layer):
    return sum(p.numel() for p in layer.parameters())


def narrowing(hidden, width, squeezed):
    """Squeeze-and-excitation with biases, a pointwise convolution with bias, a batch norm."""
    return 2 * hidden * squeezed + hidden + squeezed + hidden * width + 3 * width


def test_parameters_of_the_published_block():
    """UniNet (https://arxiv.org/abs/2207.05420): a norm before, and after each convolution; squeezed to a quarter."""
    expected = 2 * 48 + 48 * 192 + 2 * 192 + 11 * 192 + narrowing(192, 48, 48)
    assert parameters(UniNetDepthwise(48, expansion=4)) == expected
    first = 11 * 32 + narrowing(32, 24, 8) + 32 * 24 + 24
    assert parameters(UniNetSeparable(32, width=24)) == first, "another width has a pointwise shortcut"
    assert parameters(UniNetConv(48, expansion=4)) == 2 * 48 + 9 * 48 * 192 + 2 * 192 + narrowing(192, 48, 48)


@pytest.mark.parametrize("layer", [UniNetConv, UniNetDepthwise, UniNetSeparable])
def test_a_block_begins_as_its_shortcut(layer):
    """The last norm begins at 0."""
    x = torch.randn(2, 16, 5, 7)
    assert torch.equal(layer(16)(x), x)
    changed = layer(16, width=24)
    assert torch.equal(changed(x), changed.shortcut(x))


def test_depthwise_block_is_norm_expand_depthwise_excite_narrow():
    torch.manual_seed(0)
    layer, x = UniNetDepthwise(8, expansion=2).double().eval(), torch.randn(2, 8, 4, 3, dtype=torch.float64)
    torch.nn.init.ones_(layer.narrow.norm.weight)
    gelu = torch.nn.functional.gelu
    hidden = gelu(layer.depthwise_norm(layer.depthwise(gelu(layer.up_norm(layer.up(layer.norm(x)))))))
    squeeze = layer.narrow.squeeze
    gate = squeeze.expand(torch.relu(squeeze.reduce(hidden.mean((2, 3), keepdim=True))))
    excited = hidden * torch.nn.functional.hardsigmoid(gate)
    assert torch.allclose(layer(x), x + layer.narrow.norm(layer.narrow.conv(excited)), atol=1e-12)
