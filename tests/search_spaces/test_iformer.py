import random

import pytest
import torch

from nasengine.errors import SpaceError
from nasengine.interpreters.cost import Cost, cost
from nasengine.interpreters.model import Model
from nasengine.interpreters.source import source, state
from nasengine.search_spaces import iformer
from nasengine.space import Architecture, Space

NAMED = iformer.ARCHITECTURES
SMALL = {
    "input": (1, 20, 12), "classes": 4, "widths": (8, 16, 24, 16), "depths": (1, 1, 2, 1), "heads": (1, 2, 3, 3),
    "head": 4, "patch": 2,
}  # fmt: skip


def named(name: str) -> tuple[Space, Architecture]:
    space = iformer.space(**NAMED[name].settings)
    return space, space.check(NAMED[name].picks)


@pytest.mark.parametrize(
    ("name", "params", "macs"),
    [
        ("iformer-s", 19_866_344, 4_825_828_736),
        ("iformer-b", 47_866_216, 9_341_953_536),
        ("iformer-l", 86_637_096, 14_004_159_488),
        ("iformer-s-384", 20_899_944, 16_031_256_576),
        ("iformer-b-384", 48_936_296, 30_445_438_976),
        ("iformer-l-384", 87_743_656, 45_209_248_768),
    ],
)
def test_parameters_and_multiply_adds_of_the_published_networks(name, params, macs):
    """iFormer (https://arxiv.org/abs/2205.12956) gives 20, 48 and 87 M, 4.8, 9.4 and 14.0 G; maps grow with images."""
    assert cost(*named(name)) == Cost(params, macs)


@pytest.mark.parametrize(
    ("name", "ramp"),
    [
        ("iformer-s", ([1] * 3, [3] * 3, [7] * 4 + [9] * 5, [11] * 3)),
        ("iformer-b", ([1] * 4, [3] * 6, [8] * 7 + [10] * 7, [15] * 6)),
        ("iformer-l", ([1] * 4, [3] * 6, [10] * 9 + [12] * 9, [19] * 8)),
    ],
)
def test_the_channel_ramp_is_the_published_one(name, ramp):
    """Attention heads of every block, read off the widths of its queries."""
    with torch.device("meta"):
        shapes = {n: tuple(t.shape) for n, t in Model(*named(name)).state_dict().items() if n.endswith("query.weight")}
    for number, heads in zip(iformer.STAGES, ramp, strict=True):
        queries = [shape for n, shape in shapes.items() if n.startswith(f"stage{number}.")]
        assert [shape[0] // 32 for shape in queries] == heads


def test_names_of_weights():
    with torch.device("meta"):
        shapes = {name: tuple(tensor.shape) for name, tensor in Model(*named("iformer-s")).state_dict().items()}
    assert shapes["stage1.down.first.conv.weight"] == (48, 3, 3, 3)
    assert shapes["stage2.position.map"] == (1, 192, 28, 28)
    assert shapes["stage3.blocks.8.mixer.more.query.weight"] == (9 * 32, 9 * 32, 1, 1)
    assert shapes["stage3.blocks.8.mixer_scale.weight"] == (320,)
    assert not [name for name in shapes if "scale" in name and name.startswith(("stage1", "stage2"))]


def test_heads_are_a_decision_of_every_block():
    decisions = iformer.space().decisions
    assert decisions["stage3.blocks.0.mixer.heads"].options == ("fewer", "medium", "more")
    assert decisions["stage4.blocks.0.mixer.heads"].options == ("fewer", "medium"), "one head of twelve is left over"
    assert decisions["stage3.blocks.0.mixer.heads"].kinds["more"] == "attention"
    assert decisions["stage3.blocks.9.mixer.heads"].when == {(("stage3.blocks.depth", ("deep",)),)}


def test_images_need_not_be_square():
    torch.manual_seed(0)
    space = iformer.space(**SMALL)
    supernet, x = Model(space).double().eval(), torch.randn(2, 1, 20, 12, dtype=torch.float64)
    for seed in range(2):
        one = space.sample(random.Random(seed))
        child = supernet.inherit(one)
        assert child(x).shape == (2, 4)
        assert torch.allclose(supernet(x, one), child(x), rtol=1e-10)
        assert sum(p.numel() for p in child.parameters()) == cost(space, one).params
        assert child(torch.randn(2, 1, 9, 31, dtype=torch.float64)).shape == (2, 4), "nor of the size it was made for"


def test_exported_source_is_the_network():
    torch.manual_seed(0)
    space = iformer.space(**SMALL)
    model = Model(space, space.check(iformer.picks((1, 1, 2, 1)))).eval()
    made = source(space, model.picks)
    names: dict = {"__name__": "exported"}
    exec(made.text, names)
    alone = names["Network"]().eval()
    alone.load_state_dict(state(model, made))
    x = torch.randn(2, 1, 20, 12)
    assert torch.allclose(alone(x), model(x), atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"widths": (96, 192, 330, 384)}, "heads of 32 channels must divide them"),
        ({"heads": (1, 3, 10, 11)}, ".2, 5, 9, 11. heads of 32 may attend at most, 1 at least"),
        ({"heads": (1, 3, 7)}, "give four of each"),
        ({"head": 3}, "an even number of channels"),
        ({"patch": 3, "depths": (1, 1, 1, 0)}, "depths=.* each is at least 1.*patch=3 came; it is 1, 2 or 4"),
    ],
)
def test_bad_sizes_are_refused_in_sentences(settings, words):
    with pytest.raises(SpaceError, match=words):
        iformer.space(**settings)
