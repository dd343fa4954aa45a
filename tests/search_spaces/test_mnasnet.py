import random

import pytest
import torch

from nasengine.errors import SpaceError
from nasengine.interpreters.cost import cost
from nasengine.interpreters.digest import digest
from nasengine.interpreters.model import Model
from nasengine.search_spaces import mnasnet

SMALL = {
    "input": (1, 8, 8), "classes": 4, "widths": (8, 16), "layers": (2, 3), "strides": (1, 2), "stem": 8,
    "features": 16,
}  # fmt: skip


def test_a_block_has_432_ways():
    """The paper's typical space of five blocks of three layers: 432^5 (https://arxiv.org/abs/1807.11626)."""
    space = mnasnet.space(widths=(24, 32, 64, 96, 160), layers=(3,) * 5, strides=(2, 2, 2, 1, 2))
    assert space.count() == 432**5 == 15_045_919_506_432


def test_blocks_that_may_have_one_layer_are_asked_less():
    """48 ways for a layer, times 3 things to add for every number of layers but one."""
    assert mnasnet.space().count() == (48 * 4) ** 2 * (48 * 7) * 432**4


def test_decisions_are_those_of_blocks():
    decisions = mnasnet.space().decisions
    assert [name for name in decisions if name.startswith("block4.")] == [
        "block4.op", "block4.layers", "block4.squeeze", "block4.width", "block4.kernel", "block4.skip",
    ]  # fmt: skip
    skip = decisions["block2.skip"]
    assert not skip.active({"block2.layers": ("-1",)})
    assert skip.active({"block2.layers": ("+0",)})
    assert not decisions["block4.kernel"].when


@pytest.mark.parametrize(
    ("name", "params", "macs"), [("MnasNet-A1", 3_887_038, 312e6), ("MnasNet-B1", 4_383_312, 315e6)]
)
def test_published_parameters_and_multiply_adds(name, params, macs):
    """A1: 3.9 M, 312 M (https://arxiv.org/abs/1807.11626); B1: as torchvision's mnasnet1_0."""
    published = mnasnet.ARCHITECTURES[name]
    space = mnasnet.space(**published.settings)
    found = cost(space, space.check(published.picks))
    assert found.params == params
    assert found.macs == pytest.approx(macs, rel=0.005)


def test_layers_of_a_block_are_equal():
    space = mnasnet.space(**SMALL)
    picks = mnasnet.picks("conv 5 none none +1", "mbconv3 3 quarter identity +0")
    model = Model(space, space.check(picks))
    kernels = [p.shape[-1] for name, p in model.named_parameters() if name.startswith("block1") and p.dim() == 4]
    assert kernels == [5, 5, 5]
    squeezed = [p.shape[0] for n, p in model.named_parameters() if "block2" in n and n.endswith("reduce.weight")]
    assert squeezed == [2, 4, 4]  # a quarter of what arrives


def test_what_is_added_changes_the_network():
    space = mnasnet.space(**SMALL)
    made = {}
    for skip in ("pool", "identity", "none"):
        one = space.check(mnasnet.picks(f"dwconv 3 none {skip} +0", "conv 3 none none -1"))
        made[digest(space, one)] = cost(space, one)
    assert len(made) == 3
    assert len({found.params for found in made.values()}) == 1


def test_the_supernet_cuts_kernels_and_widths():
    torch.manual_seed(0)
    space = mnasnet.space(**SMALL)
    supernet, x = Model(space).double().eval(), torch.randn(2, 1, 8, 8, dtype=torch.float64)
    for seed in range(3):
        one = space.sample(random.Random(seed))
        assert torch.allclose(supernet(x, one), supernet.inherit(one)(x), rtol=1e-10)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"layers": (1, 2)}, "one of each for every block"),
        ({"stem": 0}, "at least 1"),
        ({"input": (1, 2, 2)}, "images of 2 by 2"),
    ],
)
def test_impossible_sizes_are_refused(settings, words):
    with pytest.raises(SpaceError, match=f"space mnasnet: .*{words}"):
        mnasnet.space(**settings)
