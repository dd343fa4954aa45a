import random

import pytest
import torch

from nasengine.errors import SpaceError
from nasengine.interpreters.cost import cost
from nasengine.interpreters.model import Model
from nasengine.interpreters.shape import trace
from nasengine.layers import DropPath, FactorizedReduce
from nasengine.search_spaces import darts
from nasengine.space import EVERYTHING

LINEAR = 576 * 10  # multiply-adds of the classifier, four nodes of 144 channels to ten classes

# parameters on CIFAR-10 and CIFAR-100 (36 channels, 20 cells), multiply-adds of the convolutions on CIFAR-10,
# parameters and multiply-adds on ImageNet (48 channels, 14 cells), all without the auxiliary head. The published
# figures are the same rounded: 3.3M for DARTS (https://arxiv.org/abs/1806.09055), 3.4M, 4.98M and 543M for PR-DARTS
# (https://arxiv.org/abs/2006.16537).
PUBLISHED = {
    "DARTS_V1": (3_169_414, 3_221_344, 500_981_760, 4_510_432, 505_864_704),
    "DARTS_V2": (3_349_342, 3_401_272, 528_353_280, 4_718_752, 529_911_552),
    "PC_DARTS_cifar": (3_634_678, 3_686_608, 556_664_832, 5_270_560, 571_137_408),
    "PC_DARTS_image": (3_721_510, 3_773_440, 570_461_184, 5_342_464, 581_627_328),
    "PDARTS": (3_433_798, 3_485_728, 532_168_704, 4_944_352, 542_819_328),
    "GDAS_V1": (3_368_782, 3_420_712, 519_422_976, 4_969_216, 537_597_888),
    "SNAS": (2_661_382, 2_713_312, 422_212_608, 3_939_328, 438_042_432),
    "DrNAS_cifar10": (4_099_294, 4_151_224, 635_129_856, 5_738_464, 633_832_320),
    "DrNAS_imagenet": (4_048_750, 4_100_680, 617_932_800, 5_726_368, 624_405_504),
    "PRDARTS": (3_444_814, 3_496_744, 529_763_328, 4_981_312, 543_374_400),
}


def test_every_published_cell_has_its_figures_here():
    assert list(darts.ARCHITECTURES) == list(PUBLISHED)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_cells_cost_what_they_do_in_the_papers(name):
    published, (cifar10, cifar100, macs, imagenet, imagenet_macs) = darts.ARCHITECTURES[name], PUBLISHED[name]
    space = darts.space(**published.settings)
    architecture = space.check(published.picks)
    found = cost(space, architecture)
    assert (found.params, found.macs) == (cifar10, macs + LINEAR)
    assert cost(darts.space(**{**published.settings, "classes": 100}), architecture).params == cifar100
    mobile = darts.space(input=(3, 224, 224), classes=1000, channels=48, layers=14, stem="imagenet", auxiliary=True)
    found = cost(mobile, architecture)
    assert (found.params, found.macs) == (imagenet, imagenet_macs)


@pytest.mark.parametrize(
    ("settings", "auxiliary"),
    [
        ({}, 476_426),
        ({"classes": 100}, 545_636),
        ({"input": (3, 224, 224), "classes": 1000, "channels": 48, "layers": 14, "stem": "imagenet"}, 1_260_776),
    ],
)
def test_a_built_network_adds_the_auxiliary_head_and_nothing_else(settings, auxiliary):
    published = darts.ARCHITECTURES["DARTS_V2"]
    space = darts.space(**{**published.settings, **settings})
    architecture = space.check(published.picks)
    with torch.device("meta"):
        model = Model(space, architecture)
    total = sum(p.numel() for p in model.parameters())
    assert total == cost(space, architecture).params + auxiliary


def test_search_networks_have_the_published_number_of_weights():
    """DARTS' search network of 8 cells, and that of PR-DARTS' code: 6 cells, no norm after pooling, a last norm."""
    found = cost(darts.space(**darts.SUPERNET), EVERYTHING)
    assert (found.params, found.macs) == (1_930_618, 300_255_744)
    theirs = darts.space(layers=6, affine=False, track=False, last_norm=True, drop_path=False)
    assert cost(theirs, EVERYTHING).params == 1_323_002


def test_supernet_has_the_modules_of_the_original():
    with torch.device("meta"):
        model = Model(darts.space(**darts.SUPERNET))
    modules = list(model.modules())
    assert sum(isinstance(m, torch.nn.Conv2d) for m in modules) == 1_395
    norms = [m for m in modules if isinstance(m, torch.nn.BatchNorm2d)]
    assert len(norms) == 929
    assert [m.affine for m in norms].count(True) == 1, "only the stem's norm learns a scale"
    assert not any(isinstance(m, DropPath) for m in modules)


def test_decisions_and_count():
    space = darts.space()
    edges = [d for d in space.decisions.values() if d.name.endswith(".op")]
    assert len(edges) == 2 * 14
    assert all(len(d.options) == 7 and d.relaxed == ("none", *d.options) for d in edges)
    assert space.decisions["normal.node3.inputs"].options == ("in0", "in1", "node0", "node1", "node2")
    assert space.decisions["reduce.node2.node1.op"].kinds == {
        "none": "zero", "max_pool_3x3": "pool", "avg_pool_3x3": "pool", "skip_connect": "skip",
        "sep_conv_3x3": "conv", "sep_conv_5x5": "conv", "dil_conv_3x3": "conv", "dil_conv_5x5": "conv",
    }  # fmt: skip
    assert space.count() == 1_037_664_180**2


def test_scales_share_their_decisions():
    small, large = darts.space(channels=4, layers=3), darts.space(channels=36, layers=20, auxiliary=True)
    assert dict(small.decisions) == dict(large.decisions)
    assert "none" not in darts.space(none=False).decisions["normal.node0.in0.op"].relaxed


def test_reductions_stand_at_a_third_and_two_thirds():
    for layers, places in {8: (2, 5), 20: (6, 13), 14: (4, 9), 6: (2, 4)}.items():
        shapes, _ = trace(darts.space(channels=2, layers=layers), EVERYTHING)
        strided = {
            place.split(".")[1] for place, (_, settings, _) in shapes.layers.items() if settings.get("stride") == 2
        }
        assert sorted(map(int, strided)) == list(places)
        halved = [
            int(place.split(".")[1])
            for place, (layer, settings, _) in shapes.layers.items()
            if layer is FactorizedReduce and place.endswith(".in0")
        ]
        assert halved == [place + 1 for place in places if place + 1 < layers], "the cell after one takes both sizes"


def test_drop_path_stands_after_everything_but_the_identity():
    shapes, _ = trace(darts.space(channels=2, layers=3), EVERYTHING)
    dropped = {place.rsplit(".", 1)[0] for place, (layer, _, _) in shapes.layers.items() if layer is DropPath}
    edges = {
        place.removesuffix(".0"): layer.__name__
        for place, (layer, _, _) in shapes.layers.items()
        if ".node" in place and layer is not DropPath
    }
    assert {edges[place] for place in set(edges) - dropped} == {"Identity", "Zero"}
    assert {edges[place] for place in dropped} == {
        "MaxPool", "AvgPool", "FactorizedReduce", "SeparableConv", "DilatedConv"
    }  # fmt: skip


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("input", [(1, 8, 8), (3, 5, 7), (3, 1, 1)])
@pytest.mark.parametrize("stem", ["cifar", "imagenet"])
def test_small_images_and_few_cells_run(input, layers, stem):
    space = darts.space(input=input, classes=4, channels=4, layers=layers, auxiliary=True, stem=stem)
    model = Model(space, space.sample(random.Random(0)))
    scores, asides = model.forward_with_asides(torch.randn(4, *input))
    assert scores.shape == (4, 4)
    assert asides["auxiliary"].shape == (4, 4)


def test_impossible_sizes_are_refused():
    with pytest.raises(SpaceError, match="layers=0"):
        darts.space(layers=0)
