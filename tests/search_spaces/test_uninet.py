import random

import pytest
import torch

from nasengine.errors import SpaceError
from nasengine.interpreters.cost import Cost, cost
from nasengine.interpreters.model import Model
from nasengine.search_spaces import uninet
from nasengine.space import Architecture, Space

NAMED = uninet.ARCHITECTURES
SMALL = {
    "input": (1, 20, 12), "classes": 4, "widths": (8, 8, 8, 16, 16, 24), "depths": (1,) * 6, "stem": 8, "head": 8,
    "window": 3, "features": 16,
}  # fmt: skip


def named(name: str) -> tuple[Space, Architecture]:
    space = uninet.space(**NAMED[name].settings)
    return space, space.check(NAMED[name].picks)


@pytest.mark.parametrize(
    ("name", "params", "macs"),
    [
        ("uninet-b0", 11_450_864, 543_530_688),
        ("uninet-b1", 11_450_864, 1_094_639_808),
        ("uninet-b2", 16_211_472, 2_113_953_664),
        ("uninet-b3", 24_020_184, 4_185_596_128),
        ("uninet-b4", 43_796_288, 9_296_105_216),
        ("uninet-b5", 72_883_072, 20_190_259_200),
        ("uninet-b6", 116_687_344, 50_507_395_584),
    ],
)
def test_parameters_and_multiply_adds_of_the_published_networks(name, params, macs):
    """UniNet (https://arxiv.org/abs/2207.05420): 11.5 M and 0.56 to 1.1 G, to 117 M and 51 G; norms are not counted."""
    assert cost(*named(name)) == Cost(params, macs)


def test_all_seven_are_one_architecture():
    assert len({Architecture(one.picks) for one in NAMED.values()}) == 1
    picks = NAMED["uninet-b0"].picks
    assert [picks[f"stage{n}.operator"][0] for n in range(6)] == ["separable", *["dwconv"] * 3, *["attention"] * 2]
    assert [picks[f"stage{n}.downsampling"][0] for n in range(1, 6)] == [*["local"] * 3, *["local_global"] * 2]


def test_names_of_weights():
    with torch.device("meta"):
        shapes = {name: tuple(tensor.shape) for name, tensor in Model(*named("uninet-b1")).state_dict().items()}
    assert shapes["stage0.first.separable.shortcut.weight"] == (24, 32, 1, 1)
    assert shapes["stage2.blocks.3.dwconv.up.weight"] == (480, 80, 1, 1)
    assert shapes["stage4.down.local_global.query.weight"] == (128, 128, 1, 1)
    assert shapes["stage5.blocks.7.attention.mixer.key.weight"] == (256, 256, 1, 1)
    assert shapes["stage5.blocks.7.attention.mlp.up.weight"] == (5 * 256, 256, 1, 1)


def test_a_stage_decides_once_for_all_its_blocks():
    """Operators and modules between stages as the paper searches them; an expansion is asked for wherever it counts."""
    decisions = uninet.space().decisions
    for number in range(6):
        own = {name.partition(".")[2] for name in decisions if name.startswith(f"stage{number}.")}
        assert own == {"operator", "expansion", "depth", *(("downsampling", "width") if number else ())}
    assert decisions["stage1.operator"].kinds == {
        "separable": "conv", "dwconv": "conv", "conv": "conv", "attention": "attention", "window": "attention",
        "mlp": "mlp",
    }  # fmt: skip
    assert decisions["stage1.downsampling"].options == ("local", "global", "local_global")
    ((condition,),) = (path for path in decisions["stage1.expansion"].when if path[0][1] == ("mlp",))
    assert condition == ("stage1.operator", ("mlp",))
    assert not any("separable" in path[0][1] for path in decisions["stage1.expansion"].when)


def test_count():
    """26 ways of operator and expansion; 3 modules, 3 widths and 3 depths, but for the first stage and its 2 depths."""
    assert uninet.space().count() == (26 * 2) * (26 * 3**3) ** 5


@pytest.mark.parametrize("operator", ["separable", "dwconv", "conv", "attention", "window", "mlp"])
def test_every_operator_runs_in_every_stage_on_maps_that_are_not_square(operator):
    torch.manual_seed(0)
    space = uninet.space(**SMALL)
    wish = {f"stage{number}.operator": (operator,) for number in range(6)}
    one = space.follow(wish, random.Random(0))
    model = Model(space, one).eval()
    assert model(torch.randn(2, 1, 20, 12)).shape == (2, 4)
    assert model(torch.randn(2, 1, 31, 9)).shape == (2, 4), "nor of the size it was made for"
    assert sum(p.numel() for p in model.parameters()) == cost(space, one).params


def test_the_first_block_changes_the_width_where_the_stem_has_another():
    widths = (16, 8, 8, 16, 16, 24)
    for operator in ("separable", "attention"):
        for stem, there in ((8, True), (16, False)):
            space = uninet.space(**{**SMALL, "widths": widths, "stem": stem})
            one = space.follow({"stage0.operator": (operator,)}, random.Random(0))
            names = Model(space, one).state_dict()
            assert any("shortcut" in n or "widen" in n for n in names if n.startswith("stage0")) == there


def test_the_supernet_runs_an_architecture_as_the_network_inherited_from_it():
    torch.manual_seed(0)
    space = uninet.space(**SMALL)
    supernet, x = Model(space).double().eval(), torch.randn(2, 1, 20, 12, dtype=torch.float64)
    for seed in range(3):
        one = space.sample(random.Random(seed))
        assert torch.allclose(supernet(x, one), supernet.inherit(one)(x), rtol=1e-10)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"widths": (24, 48, 80, 128, 128)}, "give six of each"),
        ({"widths": (24, 48, 80, 100, 128, 256)}, "widths are multiples of 8"),
        ({"depths": (1, 2, 0, 4, 4, 8), "head": 0}, "depths at least 1.*head=0 came; it is at least 1"),
    ],
)
def test_bad_sizes_are_refused_in_sentences(settings, words):
    with pytest.raises(SpaceError, match=words):
        uninet.space(**settings)
