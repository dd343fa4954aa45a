"""How residual branches end: what has to be zero so that they add nothing, found in any network."""

import pytest
import torch
from torch import Tensor, nn

from nasengine.interpreters.model import Model
from nasengine.interpreters.residual import silencers
from nasengine.layers import BatchNorm, Classifier, ConvNorm, ConvNormReLU, Identity, MaxPool, Pointwise, ResScale
from nasengine.plugins import load_space
from nasengine.space import Space, add, chain, choose, network, op, reads, residual


class Backwards(nn.Module):
    """A convolution and a norm after it, declared the other way round."""

    kind = "conv"

    def __init__(self, channels: int):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


def ends(*steps) -> list[str]:
    whole = chain(stem=op(ConvNorm, width=4), block=chain(*steps), head=op(Classifier, classes=3))
    return [name.removeprefix("block.") for name in silencers(Space("blocks", (1, 6, 6), whole))]


def test_a_branch_ends_with_its_norm_or_without_one_with_its_last_weights():
    assert ends(residual(op(ConvNorm, width=4))) == ["0.body.0.norm.weight", "0.body.0.norm.bias"]
    assert ends(residual(op(BatchNorm), op(Pointwise, width=4, bias=False))) == ["0.body.1.weight"]
    assert ends(residual(op(BatchNorm), op(Identity))) == ["0.body.0.norm.weight", "0.body.0.norm.bias"]


def test_modules_count_in_the_order_in_which_they_run():
    assert ends(residual(op(Backwards))) == ["0.body.0.norm.weight", "0.body.0.norm.bias"]


def test_every_option_of_a_branch_has_its_own_end_and_what_stands_before_them_stays():
    mixers = choose("op", conv=op(ConvNorm, width=4), point=op(Pointwise, width=4, bias=False), none=op(Identity))
    assert ends(residual(op(BatchNorm), mixers)) == [
        "0.body.1.conv.norm.weight", "0.body.1.conv.norm.bias", "0.body.1.point.weight",
    ]  # fmt: skip


def test_what_would_never_learn_again_stays_as_it_is():
    assert ends(residual(op(ConvNormReLU, width=4))) == []


def test_shortcuts_may_be_scaled_but_never_silenced():
    block = network(
        norm=op(BatchNorm),
        pool=op(MaxPool),
        shortcut=reads("input", op(ResScale)),
        out=reads("pool", "shortcut", add()),
    )
    found = ends(block)
    assert found == ["0.norm.norm.weight", "0.norm.norm.bias"]


def test_sums_of_different_ways_are_no_residuals():
    two = network(a=op(ConvNorm, width=4), b=reads("input", op(ConvNorm, width=4)), out=reads("a", "b", add()))
    assert ends(two) == []
    for name in ("darts", "nasbench201", "nasbench101"):
        assert silencers(load_space(name)) == []


@pytest.mark.parametrize("name", ["mobile", "vit", "metaformer"])
def test_names_are_those_of_the_supernet_and_are_found_without_gradients(name):
    space = load_space(name)
    with torch.no_grad():
        found = silencers(space)
    known = dict(Model(space).named_parameters())
    assert found and all(one in known for one in found)
    if name == "mobile":
        assert {one.split(".")[-2] for one in found} == {"down_norm"}, "the norm that is last in an inverted residual"


def test_the_global_generator_stays_as_it_was():
    before = torch.get_rng_state()
    silencers(
        Space(
            "one", (1, 6, 6), chain(op(ConvNorm, width=4), residual(op(ConvNorm, width=4)), op(Classifier, classes=3))
        )
    )
    assert torch.equal(before, torch.get_rng_state())
