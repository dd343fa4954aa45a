import random
import re

import pytest
import torch

from nasengine.errors import SpaceError
from nasengine.interpreters.cost import cost
from nasengine.interpreters.model import Model
from nasengine.interpreters.shape import layer_facts, trace
from nasengine.interpreters.source import source, state
from nasengine.layers import ScheduledDropPath
from nasengine.search_spaces import metaformer
from nasengine.space import EVERYTHING

# parameters, and multiply-adds of convolutions and matrix products at 224 by 224, with 1000 classes; rounded they are
# the published figures of PoolFormer (https://arxiv.org/abs/2111.11418) and of the baselines of MetaFormer
# (https://arxiv.org/abs/2210.13452): 12M and 1.8G for the S12s, 26M and 4.1G for CAFormer-S18, …
IDENTITY = {
    "s12": (11_891_712, 1_812_267_008),
    "s24": (21_341_464, 3_392_208_896),
    "s36": (30_791_216, 4_972_150_784),
    "m36": (56_077_168, 8_758_788_096),
    "m48": (73_346_056, 11_533_320_192),
}
PUBLISHED = {
    "poolformer-s12": (11_915_176, 1_812_267_008),
    "poolformer-s24": (21_388_968, 3_392_208_896),
    "poolformer-s36": (30_862_760, 4_972_150_784),
    "poolformer-m36": (56_172_520, 8_758_788_096),
    "poolformer-m48": (73_473_448, 11_533_320_192),
    **{f"identityformer-{size}": figures for size, figures in IDENTITY.items()},
    "randformer-s12": (12_127_010, 1_888_484_352),
    "randformer-s24": (21_812_060, 3_544_643_584),
    "randformer-s36": (31_497_110, 5_200_802_816),
    "randformer-m36": (56_783_062, 9_035_383_296),
    "randformer-m48": (74_287_248, 11_902_113_792),
    **{f"poolformerv2-{size}": figures for size, figures in IDENTITY.items()},
    "convformer-s18": (26_774_448, 3_940_984_320),
    "convformer-s36": (40_012_152, 7_639_683_072),
    "convformer-m36": (57_051_640, 12_842_333_568),
    "convformer-b36": (99_882_616, 22_629_413_376),
    "caformer-s18": (26_341_656, 4_106_941_440),
    "caformer-s36": (39_297_102, 7_971_597_312),
    "caformer-m36": (56_204_878, 13_240_630_656),
    "caformer-b36": (98_753_614, 23_160_476_160),
}
AT_384 = {
    "convformer-s18": 11_575_664_640,
    "convformer-s36": 22_445_309_952,
    "convformer-m36": 37_733_695_488,
    "convformer-b36": 66_492_235_776,
    "caformer-s18": 13_366_149_120,
    "caformer-s36": 25_984_253_952,
    "caformer-m36": 41_977_276_416,
    "caformer-b36": 72_150_343_680,
}


def built(name, **changed):
    """A published network's space, with settings changed, and its architecture."""
    published = metaformer.ARCHITECTURES[name]
    space = metaformer.space(**{**published.settings, **changed})
    return space, space.check(published.picks)


def trainable(space, architecture):
    shapes, _ = trace(space, architecture)
    return sum(layer_facts(place, *layer).trainable for place, layer in shapes.layers.items())


def test_every_published_network_has_its_figures_here():
    assert list(metaformer.ARCHITECTURES) == list(PUBLISHED)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_networks_cost_what_they_do_in_the_papers(name):
    found = cost(*built(name))
    assert (found.params, found.macs) == PUBLISHED[name]


@pytest.mark.parametrize("name", AT_384)
def test_multiply_adds_of_larger_images(name):
    found = cost(*built(name, input=(3, 384, 384)))
    assert (found.params, found.macs) == (PUBLISHED[name][0], AT_384[name])


@pytest.mark.parametrize("size", IDENTITY)
def test_random_matrices_are_parameters_that_do_not_learn(size):
    """RandFormer is IdentityFormer with matrices of 196 and of 49 positions, squared, in its last two stages."""
    space, architecture = built(f"randformer-{size}")
    assert trainable(space, architecture) == IDENTITY[size][0]
    third, fourth = (int(architecture.picks[f"stage{n}.depth"][0]) for n in (3, 4))
    assert cost(space, architecture).params - IDENTITY[size][0] == third * 196**2 + fourth * 49**2
    assert trainable(*built("caformer-s18")) == PUBLISHED["caformer-s18"][0]


def test_names_in_the_state_dict():
    with torch.device("meta"):
        names = set(Model(*built("caformer-s18")).state_dict())
    of_a_block = 5 + 4 + 2  # SepConv, the MLP, two norms; a StarReLU has two numbers
    assert len([name for name in names if name.startswith("stage2.")]) == 3 + 3 * of_a_block
    assert {
        "stage1.downsampling.conv.weight", "stage1.downsampling.after.weight", "stage2.downsampling.before.weight",
        "stage2.blocks.2.mixer.conv.depthwise.weight", "stage3.blocks.8.mixer.attention.query.weight",
        "stage3.blocks.0.mixer_norm.channel.weight", "stage3.blocks.0.mixer_shortcut.weight",
        "stage4.blocks.2.mlp.up.weight", "stage4.blocks.2.mlp.activation.star_relu.scale", "head.up.bias",
    } <= names  # fmt: skip
    with torch.device("meta"):
        pool = set(Model(*built("poolformer-s12")).state_dict())
    assert {"stage1.blocks.0.mixer_scale.weight", "stage1.blocks.0.mlp_scale.weight", "head.norm.bias"} <= pool


def test_rates_of_dropped_paths_rise_by_stage_as_the_mean_of_their_blocks():
    shapes, _ = trace(*built("caformer-s18"))
    shares = {
        place.split(".")[0]: settings["share"]
        for place, (layer, settings, _) in shapes.layers.items()
        if layer is ScheduledDropPath
    }
    assert shares == pytest.approx({"stage1": 1 / 17, "stage2": 4 / 17, "stage3": 10 / 17, "stage4": 16 / 17})


def test_count():
    """A block has 3 ratios, and 3 kernels or one of 3 other mixers; a stage 2 widths, 4 norms, 2 activations."""
    block, stage = 3 * (3 + 3), 2 * 4 * 2
    shallow, deep = block + block**2, block**2 + block**3 + block**4
    assert metaformer.space().count() == stage * shallow * (stage * deep) ** 2
    assert metaformer.space(per="stage").count() == (stage * 2 * block) * (stage * 3 * block) ** 2


def test_decisions():
    decisions = metaformer.space().decisions
    mixer = decisions["stage2.3.mixer.op"]
    assert mixer.kinds == {"identity": "skip", "pool": "pool", "conv": "conv", "attention": "attention"}
    assert mixer.when == {(("stage2.depth", ("4",)),)}
    assert decisions["stage1.0.mixer.conv.kernel"].when == {(("stage1.0.mixer.op", ("conv",)),)}
    assert decisions["stage2.depth"].options == ("2", "3", "4") and decisions["stage2.width"].options == ("64", "96")
    assert set(metaformer.space(per="stage", widths=(32,), depths=(2,)).decisions) == {
        "stage1.width", "stage1.depth", "stage1.norm", "stage1.mixer.op", "stage1.mixer.conv.kernel",
        "stage1.mlp.up.ratio", "stage1.activation",
    }  # fmt: skip


@pytest.mark.parametrize("input", [(1, 8, 8), (3, 33, 20)])
def test_sampled_networks_run(input):
    space = metaformer.space(input=input, classes=4, mixers=metaformer.MIXERS, drop_path=True)
    for seed in range(3):
        architecture = space.sample(random.Random(seed))
        model = Model(space, architecture)
        assert model(torch.randn(2, *input)).shape == (2, 4)
        assert sum(p.numel() for p in model.parameters()) == cost(space, architecture).params


@pytest.mark.parametrize("name", ["caformer-s18", "randformer-s12", "poolformer-s12"])
def test_published_blocks_leave_as_source(name):
    """The same kinds of layers, narrow and shallow, on small images; the source predicts what the network does."""
    torch.manual_seed(0)
    published = metaformer.ARCHITECTURES[name]
    sizes = {"input": (3, 32, 32), "classes": 5, "widths": (8, 8, 16, 16), "depths": (1, 1, 2, 1), "head_channels": 8}
    space = metaformer.space(**{**published.settings, **sizes})
    architecture = space.follow(published.picks, random.Random(0))
    kept = {n: pick for n, pick in published.picks.items() if not n.endswith(("width", "depth"))}
    assert kept.items() <= architecture.picks.items()
    model, made, x = Model(space, architecture).eval(), source(space, architecture), torch.randn(2, 3, 32, 32)
    assert "nasengine" not in made.text and "DropPath" not in made.text
    module: dict = {"__name__": "exported"}
    exec(made.text, module)
    network = module["Network"]()
    network.load_state_dict(state(model, made))
    assert torch.equal(network.eval()(x), model(x))


NEW = ("inception", "iformer", "uniformer", "moat", "emo", "efficientmod", "window")


@pytest.mark.parametrize("mixer", NEW)
def test_mixers_of_other_papers(mixer):
    """Each alone: its networks run, cost what they hold, are cut out of the supernet, and leave as source."""
    torch.manual_seed(0)
    settings = {"input": (3, 20, 16), "classes": 4, "widths": (16, 32), "depths": (1, 2), "head_channels": 8}
    space = metaformer.space(**settings, mixers=("pool", mixer), width_factors=(1, 1.5))
    one = space.sample(random.Random(0))
    fixed = {name: (mixer,) for name in one.picks if name.endswith("mixer.op")}
    one = space.follow({**one.picks, **fixed}, random.Random(0))
    supernet, x = Model(space).double().eval(), torch.randn(2, 3, 20, 16, dtype=torch.float64)
    child = supernet.inherit(one)
    assert torch.allclose(supernet(x, one), child(x), rtol=1e-10)
    assert sum(p.numel() for p in child.parameters()) == cost(space, one).params
    assert space.decisions["stage1.0.mixer.op"].kinds[mixer] in {"conv", "attention"}
    made, module = source(space, one), {"__name__": "exported"}
    exec(made.text, module)
    network = module["Network"]().double()
    network.load_state_dict(state(child, made))
    assert torch.equal(network.eval()(x), child(x)) and "nasengine" not in made.text


def test_the_default_mixers_are_those_of_the_paper():
    options = metaformer.space().decisions["stage1.0.mixer.op"].options
    assert options == ("identity", "pool", "conv", "attention") and set(NEW) < set(metaformer.MIXERS)


def test_supernet_runs_an_architecture_as_the_network_inherited_from_it():
    torch.manual_seed(0)
    space = metaformer.space(input=(1, 8, 8), classes=4, mixers=metaformer.MIXERS, scale="layer", head="mlp", bias=True)
    supernet, x = Model(space).double().eval(), torch.randn(2, 1, 8, 8, dtype=torch.float64)
    for seed in range(3):
        architecture = space.sample(random.Random(seed))
        assert torch.allclose(supernet(x, architecture), supernet.inherit(architecture)(x), rtol=1e-10)


def test_the_supernet_is_the_largest():
    space = metaformer.space()
    largest = cost(space, EVERYTHING).params
    assert all(cost(space, space.sample(random.Random(seed))).params < largest for seed in range(20))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"head_channels": 32}, "stage1.width: widths [48] came, and attention has heads of 32 channels"),
        ({"input": (1, 4, 6)}, "stage3.downsampling: images of 4 by 6 came"),
        ({"input": (1, 4, 6)}, "images of at least 8 by 8"),
        ({"widths": (32, 64)}, "widths (32, 64) and depths (2, 4, 4) came"),
        ({"mixers": ("atention",)}, 'Did you mean "attention"?'),
        ({"mixers": ()}, "mixers is empty"),
        ({"kernels": ()}, "kernels is empty"),
        ({"width_factors": (0, 1)}, "width_factors=(0, 1) came; give one number or more, each above 0"),
        ({"ratios": ()}, "ratios=() came; give one number or more"),
        ({"stem": (3, 0, 1)}, "stem=(3, 0, 1) came; give a kernel and a stride of 1 or more"),
        ({"mixers": ("emo",), "head_channels": 32}, "emo has heads of 32 channels, which must divide them; change"),
        ({"mixers": ("iformer",), "head_channels": 5}, "head_channels=5 came; give 1 or more channels, for iformer an"),
        (
            {"mixers": ("iformer",), "widths": (16, 32, 32), "width_factors": (1,)},
            "iformer convolves what a",
        ),
        ({"kernels": (3, 4)}, "kernels [4] came"),
    ],
)
def test_sizes_that_cannot_be_are_refused_with_place_and_remedy(settings, said):
    with pytest.raises(SpaceError, match="space metaformer: .*" + re.escape(said)):
        metaformer.space(**settings)


def test_all_faults_are_said_at_once():
    with pytest.raises(SpaceError) as caught:
        metaformer.space(input=(3, 16, 16), head_channels=32, stem=(7, 4, 2), widths=(48, 64, 80, 96), depths=(1,) * 4)
    assert len(str(caught.value).splitlines()) == 4, "three widths and the image"
    metaformer.space(head_channels=32, mixers=("pool", "conv"))
