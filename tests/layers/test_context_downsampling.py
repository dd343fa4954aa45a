import pytest
import torch
from torch.nn import functional

from nasengine.layers import GlobalDownsampling, LocalDownsampling, LocalGlobalDownsampling

ALL = (LocalDownsampling, GlobalDownsampling, LocalGlobalDownsampling)


def parameters(layer):
    return sum(p.numel() for p in layer.parameters())


@pytest.mark.parametrize("layer", ALL)
@pytest.mark.parametrize(("size", "stride"), [((8, 8), 2), ((7, 5), 2), ((1, 1), 2), ((3, 6), 1)])
def test_stride_alone_sets_the_size(layer, size, stride):
    smaller = tuple(-(-side // stride) for side in size)
    assert layer(32, 64, stride=stride)(torch.randn(2, 32, *size)).shape == (2, 64, *smaller)


def test_parameters_of_the_published_modules():
    """UniNet (https://arxiv.org/abs/2207.05420): depthwise with bias, norm, pointwise; keys, values, output; norms."""
    a, b = 128, 256
    local = 9 * a + a + 2 * a + 2 * (a * b + b)
    assert parameters(LocalDownsampling(a, b)) == local
    attention = 2 * a + 2 * b + 2 * (a * b + b) + b * b + b
    assert parameters(LocalGlobalDownsampling(a, b, heads=8)) == local + attention
    assert parameters(GlobalDownsampling(a, b, heads=8)) == local + attention - 10 * a


def test_local_is_a_strided_convolution_added_to_a_pooled_shortcut():
    torch.manual_seed(0)
    layer, x = LocalDownsampling(4, 6).double().eval(), torch.randn(2, 4, 5, 8, dtype=torch.float64)
    pooled = layer.shortcut.pointwise(functional.max_pool2d(x, 3, 2, 1))
    expected = layer.pointwise(layer.norm(layer.depthwise(x))) + pooled
    assert torch.allclose(layer(x), expected, atol=1e-12)
    flat = LocalDownsampling(4, 6, stride=1).double().eval()
    expected = flat.pointwise(flat.norm(flat.depthwise(x))) + flat.shortcut.pointwise(x)
    assert torch.allclose(flat(x), expected, atol=1e-12), "nothing is pooled at stride 1"


@pytest.mark.parametrize("layer", [GlobalDownsampling, LocalGlobalDownsampling])
def test_queries_of_the_small_map_attend_to_the_large_one(layer):
    torch.manual_seed(0)
    made, x = layer(4, 8, heads=2, head=4).double().eval(), torch.randn(2, 4, 5, 6, dtype=torch.float64)

    def normed(value, norm):
        return functional.layer_norm(value.movedim(1, -1), (value.shape[1],), norm.weight, norm.bias).movedim(-1, 1)

    asking = made.depthwise(x) if layer is LocalGlobalDownsampling else x[:, :, ::2, ::2]
    query = normed(made.query(made.norm(asking)), made.query_norm.norm).flatten(2)
    everywhere = normed(x, made.input_norm.norm)
    key, value = made.key(everywhere).flatten(2), made.value(everywhere).flatten(2)
    heads = []
    for start in (0, 4):
        q, k, v = (t[:, start : start + 4] for t in (query, key, value))
        share = torch.softmax(torch.einsum("bcn,bcm->bnm", q, k) / 2.0, dim=-1)
        heads.append(torch.einsum("bnm,bcm->bcn", share, v))
    mixed = torch.cat(heads, 1).reshape(2, 8, 3, 3)
    shortcut = made.shortcut.pointwise(functional.max_pool2d(x, 3, 2, 1))
    assert torch.allclose(made(x), shortcut + made.out(mixed), atol=1e-12)
