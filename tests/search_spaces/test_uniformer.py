import pytest
import torch

from nasengine.errors import SpaceError
from nasengine.interpreters.cost import cost
from nasengine.interpreters.model import Model
from nasengine.search_spaces import uniformer


@pytest.mark.parametrize(("name", "million", "giga"), [("uniformer-s", 22, 3.6), ("uniformer-b", 50, 8.3)])
def test_sizes_are_those_that_the_paper_prints(name, million, giga):
    """UniFormer (https://arxiv.org/abs/2201.09450), its tables for 224 pixels; they count norms as well."""
    published = uniformer.ARCHITECTURES[name]
    space = uniformer.space(**published.settings)
    counted = cost(space, space.check(published.picks))
    assert round(counted.params / 1e6) == million
    assert counted.macs / 1e9 == pytest.approx(giga, rel=0.01)


def test_local_and_global_blocks():
    space = uniformer.space(input=(1, 16, 8), classes=4, widths=(8, 8, 16, 16), depths=(1,) * 4, head=4, patch=1)
    model = Model(space, space.check(uniformer.picks((1,) * 4))).eval()
    names = set(model.state_dict())
    assert {"stage1.blocks.0.local.mixer.depthwise.weight", "stage3.blocks.0.global.mixer.query.weight"} <= names
    assert model(torch.randn(2, 1, 16, 8)).shape == (2, 4)
    assert space.decisions["stage1.blocks.0.relation"].kinds == {"local": "conv", "global": "attention"}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"head": 48}, "heads of 48 channels must divide them"),
        ({"input": (3, 28, 28)}, "at least 32 by 32"),
        ({"depths": (1, 1)}, "give four of each"),
    ],
)
def test_bad_sizes_are_refused_in_sentences(settings, words):
    with pytest.raises(SpaceError, match=words):
        uniformer.space(**settings)
