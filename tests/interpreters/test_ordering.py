"""Channels can be reordered where nothing but the layers around them sees them, and nowhere else."""

import random
from itertools import pairwise

import pytest
import torch

from nasengine import plugins
from nasengine.interpreters.elastic import elastic
from nasengine.interpreters.model import Model
from nasengine.interpreters.ordering import hidden_channels, sort_channels
from nasengine.layers import Attention, Classifier, ConvNorm, InvertedBottleneck, SepConv
from nasengine.space import Architecture, Node, Space, chain, choose, op, residual


def scrambled(space: Space) -> Model:
    torch.manual_seed(0)
    model = Model(space).double().eval()
    with torch.no_grad():
        for tensor in model.state_dict().values():
            if tensor.is_floating_point():
                tensor.mul_(1 + 0.1 * torch.rand_like(tensor)).add_(0.01 * torch.rand_like(tensor))
    return model


def narrow(body: Node) -> Space:
    return Space("narrow", (3, 8, 8), chain(stem=op(ConvNorm, width=16), body=body, head=op(Classifier, classes=2)))


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("mobile", {"input": (3, 16, 16), "classes": 4, "width": 0.25}),
        ("metaformer", {"input": (1, 16, 16), "widths": (32, 64), "depths": (1, 2)}),
    ],
)
def test_sorted_channels_compute_the_same(name: str, settings: dict[str, object]) -> None:
    """And the leading ones are those of the largest weights, in every network's hidden layers."""
    space = plugins.load_space(name, settings)
    model, groups = scrambled(space), hidden_channels(space)
    images = torch.randn(2, *space.input, dtype=torch.float64)
    full = space.complete({name: one.options[:1] for name, one in elastic(space).items()}, random.Random(0))
    before, weights = model(images, full), {n: t.clone() for n, t in model.state_dict().items()}
    sort_channels(model, groups, {})
    torch.testing.assert_close(model(images, full), before, rtol=1e-10, atol=1e-12)
    reads = [n for n in weights if n.startswith("stage") and n.endswith("down.weight")]
    assert len(reads) == {"mobile": 20, "metaformer": 6}[name]
    for one in reads:
        readers = [one, one.replace("down", "squeeze.reduce")]
        norms = sum(model.state_dict()[n].abs().sum((0, 2, 3)) for n in readers if n in weights)
        assert isinstance(norms, torch.Tensor) and all(a >= b for a, b in pairwise(norms.tolist()))
        assert not torch.equal(weights[one], model.get_parameter(one))


def test_one_layers_hidden_channels_and_not_its_inputs() -> None:
    body = op(InvertedBottleneck, width=16, expand=choose("expand", 2, 4))
    [hidden] = hidden_channels(narrow(body))
    assert ("body.up.weight", 0) in hidden.axes and ("body.down.weight", 1) in hidden.axes
    assert ("body.depthwise_norm.running_var", 0) in hidden.axes and ("body.up.weight", 1) not in hidden.axes
    assert hidden.asked == {("body.expand", "2"): 32, ("body.expand", "4"): 64}


def test_heads_and_shortcuts_keep_their_order() -> None:
    width = choose("width", 16, 32)
    heads = chain(op(ConvNorm, width=width), op(Attention, head=8), residual(op(SepConv, kernel=3)))
    groups = hidden_channels(narrow(heads))
    assert [{axis.tensor.split(".")[-2] for axis in hidden.axes} for hidden in groups] == [{"up", "depthwise", "down"}]


def test_trained_channels_stay_the_leading_ones() -> None:
    space = narrow(op(InvertedBottleneck, width=16, expand=choose("expand", 2, 4)))
    model, groups = scrambled(space), hidden_channels(space)
    weight = model.get_parameter("body.down.weight")

    def norms() -> list[float]:
        found: list[float] = weight.detach().abs().sum((0, 2, 3)).tolist()
        return found

    leading = norms()[:32]
    small = Architecture({"body.expand": ("2",)})
    images = torch.randn(2, 3, 8, 8, dtype=torch.float64)
    before = model(images, small)
    sort_channels(model, groups, {"body.expand": ("4", "2")})
    assert sorted(norms()[:32], reverse=True) == norms()[:32] == sorted(leading, reverse=True)
    torch.testing.assert_close(model(images, small), before, rtol=1e-10, atol=1e-12)
    sort_channels(model, groups, {"body.expand": ("4",)})
    assert all(a >= b for a, b in pairwise(norms()))
