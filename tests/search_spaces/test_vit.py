import random

import pytest
import torch

from nasengine.errors import SpaceError
from nasengine.interpreters.cost import cost
from nasengine.interpreters.model import Model
from nasengine.search_spaces import vit

SMALL = {
    "input": (1, 8, 8), "classes": 4, "widths": (16, 24), "depths": (1, 2), "heads": (1, 2), "ratios": (2, 2.5),
}  # fmt: skip


def published(name):
    found = vit.ARCHITECTURES[name]
    space = vit.space(**found.settings)
    return cost(space, space.check(found.picks))


def test_count_of_autoformer_tiny():
    """Three widths; two numbers of heads and two ratios in each of 12 to 14 blocks (arXiv 2107.00651)."""
    assert vit.space().count() == 3 * (4**12 + 4**13 + 4**14)
    small = vit.space(widths=(320, 384, 448), heads=(5, 6, 7), ratios=(3, 3.5, 4))
    assert small.count() == 3 * (9**12 + 9**13 + 9**14)


@pytest.mark.parametrize(("name", "millions"), [("AutoFormer-T", 5.8), ("AutoFormer-S", 22.9), ("AutoFormer-B", 53.7)])
def test_published_sizes_of_autoformers(name, millions):
    """The authors' models, https://github.com/microsoft/Cream."""
    assert published(name).params / 1e6 == pytest.approx(millions, abs=0.07)


@pytest.mark.parametrize(("name", "params"), [("DeiT-T", 5_717_416), ("DeiT-S", 22_050_664), ("ViT-B", 86_567_656)])
def test_published_parameters_of_plain_transformers(name, params):
    """DeiT: 5 M and 22 M (https://arxiv.org/abs/2012.12877); ViT-B/16 as in torchvision."""
    assert published(name).params == params


def test_settings_written_as_words_mean_the_same():
    assert list(vit.space(ratios=(3, 3.5, 4)).decisions["blocks.0.mlp.ratio"].options) == ["3", "3.5", "4"]
    one = vit.space(ratios=(3.0, 4.0)).sample(random.Random(0))
    assert not vit.space(ratios=(3, 4)).faults(one.picks)


@pytest.mark.parametrize("relative", [True, False])
def test_the_supernet_cuts_every_size_out_of_one_set_of_weights(relative):
    torch.manual_seed(0)
    space = vit.space(**SMALL, relative=relative)
    supernet, x = Model(space).double().eval(), torch.randn(2, 1, 8, 8, dtype=torch.float64)
    for seed in range(4):
        one = space.sample(random.Random(seed))
        child = supernet.inherit(one)
        assert torch.allclose(supernet(x, one), child(x), rtol=1e-10)
        assert sum(p.numel() for p in child.parameters()) == cost(space, one).params


def test_oblong_images_run():
    space = vit.space(**{**SMALL, "input": (3, 8, 20)})
    assert Model(space, space.sample(random.Random(0)))(torch.randn(2, 3, 8, 20)).shape == (2, 4)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"patch": 16, "input": (3, 8, 8)}, "8 by 8 pixels came; with patches of 16 they are at least 16 by 16"),
        ({"patch": 5}, "patches of 5 must divide both sides"),
        ({"heads": ()}, "give one number or more"),
        ({"ratios": (0.0, 2.0)}, "above 0"),
        ({"patch": 0}, "1 pixel or more"),
    ],
)
def test_impossible_sizes_are_refused(settings, words):
    with pytest.raises(SpaceError, match=f"space vit: .*{words}"):
        vit.space(**settings)
