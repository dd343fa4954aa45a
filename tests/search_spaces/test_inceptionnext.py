import random

import pytest
import torch

from nasengine.errors import SpaceError
from nasengine.interpreters.cost import Cost, cost
from nasengine.interpreters.digest import digest
from nasengine.interpreters.model import Model
from nasengine.search_spaces import inceptionnext
from nasengine.space import EVERYTHING

NAMED = inceptionnext.ARCHITECTURES
SMALL = {"input": (1, 16, 24), "classes": 4, "widths": (8, 8, 16, 16), "depths": (1, 1, 2, 1), "patch": 2}


@pytest.mark.parametrize(
    ("name", "params", "macs"),
    [
        ("inceptionnext-a", 4_156_520, 503_035_040),
        ("inceptionnext-t", 28_055_680, 4_188_634_272),
        ("inceptionnext-s", 49_374_016, 8_355_682_080),
        ("inceptionnext-b", 86_672_136, 14_841_072_000),
        ("inceptionnext-b-384", 86_672_136, 43_602_524_160),
    ],
)
def test_parameters_and_multiply_adds_of_the_published_networks(name, params, macs):
    """InceptionNeXt (https://arxiv.org/abs/2303.16900) gives 4.2, 28, 49 and 87 M; 0.50, 4.2, 8.4, 14.9 and 43.6 G."""
    space = inceptionnext.space(**NAMED[name].settings)
    assert cost(space, space.check(NAMED[name].picks)) == Cost(params, macs)


def test_parameters_by_formula_wherever_kernels_and_ratios_differ():
    """Stem 51 C, downsamplings, blocks with g = C / 8 or C / 4 channels a convolution, head (all with biases)."""
    space = inceptionnext.space()
    widths = {"narrow": (72, 144, 288, 576), "medium": (96, 192, 384, 768), "wide": (120, 240, 480, 960)}
    for seed in range(5):
        one = space.sample(random.Random(seed))
        picks = {name: option for name, (option,) in one.picks.items()}
        total, before = 0, 0
        for i, medium in enumerate((3, 3, 9, 3)):
            stage = f"stage{i + 1}"
            c = widths[picks[f"{stage}.down.conv.width"]][i]
            total += 51 * c if i == 0 else 2 * before + 4 * before * c + c
            depth = medium + {"shallow": -1, "medium": 0, "deep": 1}[picks[f"{stage}.blocks.depth"]]
            for block in range(depth):
                place = f"{stage}.blocks.{block}"
                share, ratio = picks[f"{place}.mixer.share"], int(picks[f"{place}.mlp.ratio"])
                group, kernel = c // inceptionnext.PARTS[share], int(picks[f"{place}.mixer.{share}.kernel"])
                total += 10 * group + 2 * (kernel + 1) * group + 2 * ratio * c * c + ratio * c + 4 * c
            before = c
        assert cost(space, one).params == total + 3 * before**2 + 9 * before + 3000 * before + 1000


def test_names_of_weights():
    with torch.device("meta"):
        model = Model(inceptionnext.space(**NAMED["inceptionnext-t"].settings), architecture("inceptionnext-t"))
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    assert shapes["stage1.down.conv.conv.weight"] == (96, 3, 4, 4)
    assert shapes["stage3.blocks.8.mixer.eighth.row.weight"] == (48, 1, 1, 11)
    assert shapes["stage3.blocks.8.mlp.up.weight"] == (4 * 384, 384, 1, 1)
    assert shapes["head.linear.weight"] == (1000, 3 * 768)


def architecture(name):
    return inceptionnext.space(**NAMED[name].settings).check(NAMED[name].picks)


def test_images_need_not_be_square_and_a_named_network_fits_small_ones():
    for settings, depths in ((SMALL, (1, 1, 2, 1)), ({**SMALL, "input": (3, 17, 40)}, (1, 1, 2, 1))):
        space = inceptionnext.space(**settings)
        model = Model(space, space.check(inceptionnext.picks(depths))).eval()
        assert model(torch.randn(2, *settings["input"])).shape == (2, 4)


def test_kernels_that_see_all_of_a_map_are_one_network():
    space = inceptionnext.space(**SMALL)
    whole = inceptionnext.picks((1, 1, 2, 1))
    one, other = (space.check({**whole, "stage4.blocks.0.mixer.eighth.kernel": (k,)}) for k in ("7", "11"))
    assert digest(space, one) == digest(space, other)
    first, second = (space.check({**whole, "stage1.blocks.0.mixer.eighth.kernel": (k,)}) for k in ("7", "11"))
    assert digest(space, first) != digest(space, second)


def test_the_supernet_runs_an_architecture_as_the_network_inherited_from_it():
    torch.manual_seed(0)
    space = inceptionnext.space(**SMALL)
    supernet, x = Model(space).double().eval(), torch.randn(2, 1, 16, 24, dtype=torch.float64)
    for seed in range(2):
        one = space.sample(random.Random(seed))
        assert torch.allclose(supernet(x, one), supernet.inherit(one)(x), rtol=1e-10)
    assert cost(space, EVERYTHING).params == sum(p.numel() for p in supernet.parameters())


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"input": (3, 28, 28)}, "images of .3, 28, 28. came; .* at least 32 by 32"),
        ({"input": (1, 8, 8), "patch": 2}, "at least 16 by 16"),
        ({"widths": (8, 12, 16, 16)}, "widths are multiples of 8"),
        ({"depths": (1, 1, 1)}, "give four of each"),
        ({"depths": (0, 1, 1, 1), "patch": 0}, "depths at least 1.*patch=0 came"),
    ],
)
def test_bad_sizes_are_refused_in_sentences(settings, words):
    with pytest.raises(SpaceError, match=words):
        inceptionnext.space(**settings)
