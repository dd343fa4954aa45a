import random

import pytest
import torch

from nasengine.errors import SpaceError
from nasengine.interpreters.cost import cost
from nasengine.interpreters.model import Model
from nasengine.interpreters.shape import trace
from nasengine.search_spaces import mobile
from nasengine.space import EVERYTHING

SMALL = {"input": (1, 16, 16), "classes": 4, "width": 0.5}


def test_count_of_once_for_all():
    """Five stages of 9^2 + 9^3 + 9^4 ways, at 25 resolutions (https://arxiv.org/abs/1908.09791)."""
    assert 9**2 + 9**3 + 9**4 == 7371
    assert mobile.space().count() == 7371**5 == 21_758_655_492_572_485_851
    resolutions = tuple(range(128, 225, 4))
    assert mobile.space(resolutions=resolutions).count() == 25 * 7371**5


def test_widths_are_decided_stage_by_stage():
    space = mobile.space(widths=(0.65, 1.0, 1.35))
    assert space.count() == (3 * 7371) ** 5
    assert space.decisions["stage3.first.width"].options == ("0.65", "1", "1.35")
    wide = Model(mobile.space(**SMALL, widths=(0.5, 1)), EVERYTHING)
    assert wide.get_submodule("stage5.rest.0.body.0").down.out_channels == 80


def test_mobilenetv3_large_has_its_published_parameters():
    """5,483,032 as in torchvision; without the bias before the classifier 5,481,752 (arXiv 1905.02244: 5.4 M)."""
    published = mobile.ARCHITECTURES["MobileNetV3-Large"]
    space = mobile.space(**published.settings)
    found = cost(space, space.check(published.picks))
    assert found.params == 5_483_032
    assert found.macs == pytest.approx(219e6, rel=0.015)
    without = mobile.space(**{**published.settings, "bias": False})
    assert cost(without, without.check(published.picks)).params == 5_481_752


def test_a_shallow_stage_is_the_beginning_of_a_deep_one():
    space = mobile.space(**SMALL)
    deep = space.follow({f"stage{i}.rest.depth": ("4",) for i in range(1, 6)}, random.Random(0))
    shallow = space.follow({**deep.picks, "stage2.rest.depth": ("2",)}, random.Random(0))
    names = {name for name, _ in Model(space, deep).named_parameters()}
    fewer = {name for name, _ in Model(space, shallow).named_parameters()}
    assert {name.split(".body")[0] for name in names - fewer} == {"stage2.rest.1", "stage2.rest.2"}
    assert fewer < names


def test_the_supernet_cuts_every_size_out_of_one_set_of_weights():
    torch.manual_seed(0)
    space = mobile.space(**SMALL, widths=(0.5, 1), resolutions=(32, 40))
    supernet, x = Model(space).double().eval(), torch.randn(2, 1, 16, 16, dtype=torch.float64)
    for seed in range(2):
        one = space.sample(random.Random(seed))
        assert torch.allclose(supernet(x, one), supernet.inherit(one)(x), rtol=1e-10)
    assert len(list(supernet.parameters())) == len(list(Model(mobile.space(**SMALL)).parameters()))


def test_resolution_costs():
    space = mobile.space(**SMALL, resolutions=(32, 64))
    one = space.sample(random.Random(0))
    costs = [cost(space, space.check({**one.picks, "resize.resolution": (side,)})) for side in ("32", "64")]
    assert costs[0].params == costs[1].params
    assert costs[0].macs < costs[1].macs / 3


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"kernels": (3, 4)}, "odd numbers"),
        ({"depths": (1, 2)}, "at least 2 blocks"),
        ({"resolutions": (3, 64)}, "images of 3 pixels a side"),
        ({"input": (3, 2, 8)}, "give larger images or resolutions"),
        ({"smallest_map": 2}, "at least 4 pixels a side"),
        ({"widths": (1.0, 1.01)}, "further apart"),
        ({"expansions": ()}, "came empty"),
        ({"width": -1.0}, "above 0"),
    ],
)
def test_impossible_sizes_are_refused(settings, words):
    with pytest.raises(SpaceError, match=f"space mobile: .*{words}"):
        mobile.space(**settings)


@pytest.mark.parametrize(("side", "last"), [(224, 7), (128, 4), (64, 4), (32, 4), (28, 4), (8, 4), (5, 5)])
def test_small_images_keep_maps_that_tell_kernels_apart(side, last):
    space = mobile.space(input=(1, side, side))
    one = space.sample(random.Random(0))
    shapes, _ = trace(space, one)
    assert shapes.layers["features"][2] == ((160, last, last),)
