"""Operations are seen and bypassed wherever they stand."""

import torch
from torch import nn
from torch.nn import functional

from nasengine.layers import Attention, ChannelNorm, GroupNorm, MLPClassifier, Norm, ReLUConvNorm, StarReLU
from nasengine.proxies.watching import LastMap, LoneValues, Signs, TwiceDifferentiable, WithoutNorms


def test_activations_are_seen_as_modules_and_as_functions_each_once() -> None:
    x = torch.randn(2, 3, 4, 4)
    with Signs() as signs:
        nn.ReLU()(x)
        nn.ReLU(inplace=True)(x.clone())
        torch.relu(x)
        x.relu()
        nn.ReLU6()(x)
        functional.gelu(x)
        StarReLU(3)(x)
        ReLUConvNorm(3, 5)(x)
    assert len(signs.found) == 8
    assert all(torch.equal(on, (x > 0).flatten(1)) for on in signs.found)


def test_gates_and_softmax_are_no_activations() -> None:
    with Signs() as signs:
        x = torch.randn(2, 8, 4, 4).sigmoid().softmax(1)
        Attention(8, head=4)(x)
    assert signs.found == []


def test_norms_of_every_kind_are_bypassed() -> None:
    x = torch.randn(2, 6, 4, 4) * 3
    norms = [nn.BatchNorm2d(6), nn.GroupNorm(2, 6), nn.InstanceNorm2d(6), nn.LayerNorm(4), nn.RMSNorm(4)]
    norms += [Norm(6), ChannelNorm(6), GroupNorm(6)]
    for norm in norms:
        assert not torch.allclose(norm(x), x)
        with WithoutNorms():
            assert torch.equal(norm(x), x)


def test_the_last_map_is_what_is_pooled_or_flattened() -> None:
    x = torch.randn(2, 6, 4, 4)
    for end in (
        lambda y: y.mean((2, 3)),
        lambda y: functional.adaptive_avg_pool2d(y, 1).flatten(1),
        lambda y: nn.Flatten()(y),
        lambda y: y[:, :, 0, 0],
        lambda y: MLPClassifier(6, 3)(y),
    ):
        with LastMap() as last:
            gate = x.mean((2, 3), keepdim=True)  # a gate on the way is not the end
            features = x * gate + 1
            end(features)
        assert last.map is features


def test_a_map_may_have_shrunk_to_one_pixel_before_it_ends() -> None:
    with LastMap() as last:
        x = torch.randn(2, 6, 2, 2)
        features = functional.conv2d(x * x.mean((2, 3), keepdim=True), torch.randn(5, 6, 2, 2)).relu()
        features.flatten(1)
    assert last.map is features


def test_a_batch_of_one_pixel_gives_the_shift() -> None:
    norm = nn.BatchNorm2d(3)
    nn.init.constant_(norm.bias, 2.0)
    with LoneValues():
        assert torch.equal(norm(torch.randn(1, 3, 1, 1)), torch.full((1, 3, 1, 1), 2.0))
        assert norm(torch.randn(1, 3, 2, 2)).std() > 0.5


def test_the_written_out_hard_sigmoid_is_the_same() -> None:
    x = torch.linspace(-5, 5, 101)
    with TwiceDifferentiable():
        torch.testing.assert_close(nn.Hardsigmoid()(x), (x / 6 + 0.5).clamp(0, 1))
