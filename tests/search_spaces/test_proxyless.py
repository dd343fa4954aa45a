import random

import pytest
import torch

from nasengine.errors import SpaceError
from nasengine.interpreters.cost import cost
from nasengine.interpreters.digest import digest
from nasengine.interpreters.model import Model
from nasengine.search_spaces import proxyless

SMALL = {
    "input": (1, 8, 8), "classes": 4, "stem": 8, "first": 8, "widths": (8, 8, 16, 16, 24, 24), "features": 16,
}  # fmt: skip


def test_count_and_gates():
    """15 blocks of seven options and 6 of six: 141 gates (https://arxiv.org/abs/1812.00332)."""
    space = proxyless.space()
    assert space.count() == 6**6 * 7**15 == 221_502_229_807_900_608
    assert sum(len(decision.options) for decision in space.decisions.values()) == 141
    assert "zero" not in space.decisions["stage4.block1.block"].options


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("ProxylessNAS-CPU", 4_361_648),
        ("ProxylessNAS-GPU", 7_119_848),
        ("ProxylessNAS-Mobile", 4_080_512),
        ("ProxylessNAS-Mobile-1.4", 6_857_568),
    ],
)
def test_published_parameters(name, params):
    """Those of the authors' models, https://github.com/mit-han-lab/proxylessnas."""
    published = proxyless.ARCHITECTURES[name]
    space = proxyless.space(**published.settings)
    assert cost(space, space.check(published.picks)).params == params


def test_zeros_leave_their_blocks_out_wherever_they_stand():
    space = proxyless.space(**SMALL)
    rest = ("33",) * 5
    one, other = (space.follow(proxyless.picks(first, *rest), random.Random(0)) for first in ("33 - 53 -", "33 - - 53"))
    assert one.picks["stage1.block2.block"] == ("zero",)
    assert digest(space, one) == digest(space, space.check({**one.picks}))
    names = {name.split(".body")[0] for name, _ in Model(space, one).named_parameters() if name.startswith("stage1")}
    assert {name.rsplit(".", 2)[0] for name in names} >= {"stage1.block1.k3_e3"}
    assert not any(name.startswith(("stage1.block2", "stage1.block4")) for name in names)
    moved = {name: pick for name, pick in one.picks.items() if not name.startswith("stage1")}
    assert digest(space, space.check({**moved, **proxyless.picks("33 - - 53")})) == digest(space, one)
    assert other.picks["stage1.block4.block"] == ("k5_e3",)


def test_small_images_run():
    space = proxyless.space(**SMALL)
    assert Model(space, space.sample(random.Random(0)))(torch.randn(2, 1, 8, 8)).shape == (2, 4)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"widths": (8, 8)}, "six numbers"),
        ({"depths": (0,) * 6}, "at least 1"),
        ({"stem": 0}, "stem=0"),
        ({"smallest_map": 0}, "at least 1 pixel"),
    ],
)
def test_impossible_sizes_are_refused(settings, words):
    with pytest.raises(SpaceError, match=f"space proxyless: .*{words}"):
        proxyless.space(**settings)
