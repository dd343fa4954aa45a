import random

import pytest
import torch

from nasengine.errors import SpaceError
from nasengine.interpreters.cost import cost
from nasengine.interpreters.model import Model
from nasengine.interpreters.shape import trace
from nasengine.layers import MBConv
from nasengine.search_spaces import fbnet


def published(name):
    found = fbnet.ARCHITECTURES[name]
    space = fbnet.space(**found.settings)
    return space, space.check(found.picks)


def test_count_and_gates():
    """22 layers of nine blocks: 198 gates, 9^22 networks (https://arxiv.org/abs/1812.03443)."""
    space = fbnet.space()
    assert space.count() == 9**22
    assert sum(len(decision.options) for decision in space.decisions.values()) == 198
    assert space.decisions["layer1.block"].kinds["skip"] == "skip"
    assert space.decisions["layer2.block"].kinds["skip"] == "conv"


def test_fbnet_c_has_its_published_parameters():
    """5.57 M as in timm."""
    assert cost(*published("FBNet-C")).params == 5_572_200


@pytest.mark.parametrize(
    ("name", "params", "macs"), [("FBNet-A", 4.3, 244.5), ("FBNet-B", 4.8, 291.1), ("FBNet-C", 5.5, 378.2)]
)
def test_without_pointwise_convolutions_that_do_not_expand_they_cost_what_the_authors_models_do(name, params, macs):
    """The authors' later models (https://github.com/facebookresearch/mobile-vision) leave those out."""
    space, architecture = published(name)
    found = cost(space, architecture)
    shapes, _ = trace(space, architecture)
    extra_params = extra_macs = 0
    for layer, settings, (shape,) in shapes.layers.values():
        if issubclass(layer, MBConv) and settings["expand"] == 1:
            weights = shape[0] ** 2 // (1 if layer is MBConv else 2)
            extra_params += weights + 2 * shape[0]
            extra_macs += weights * shape[1] * shape[2]
    assert (found.macs - extra_macs) / 1e6 == pytest.approx(macs, abs=0.15)
    assert (found.params - extra_params) // 100_000 / 10 == params


def test_a_skip_is_the_identity_where_it_can_be():
    space = fbnet.space(input=(1, 64, 64), classes=4, width=0.5, features=16)
    skips = space.check(fbnet.picks("skip " * 22))
    names = {name for name, _ in Model(space, skips).named_parameters()}
    assert {name.split(".")[0] for name in names} == {
        "stem", "layer2", "layer6", "layer10", "layer14", "layer18", "layer22", "features", "head",
    }  # fmt: skip


@pytest.mark.parametrize("input", [(1, 8, 8), (3, 33, 20)])
def test_small_images_run(input):
    space = fbnet.space(input=input, classes=4, width=0.25, features=16)
    assert Model(space, space.sample(random.Random(0)))(torch.randn(2, *input)).shape == (2, 4)


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"depths": (1, 4)}, "seven numbers"), ({"width": 0.0}, "above 0"), ({"input": (3, 3, 9)}, "images of 3 by 9")],
)
def test_impossible_sizes_are_refused(settings, words):
    with pytest.raises(SpaceError, match=f"space fbnet: .*{words}"):
        fbnet.space(**settings)
