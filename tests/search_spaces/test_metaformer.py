import random

import pytest
import torch

from nasengine.interpreters.cost import cost
from nasengine.interpreters.model import Model
from nasengine.search_spaces import metaformer
from nasengine.space import EVERYTHING


def test_count():
    """A block has 3 ratios, and 3 kernels or one of 3 other mixers: 18 ways; a stage 2 widths and its depths."""
    block = 3 * (3 + 3)
    shallow, deep = block + block**2, block**2 + block**3 + block**4
    assert metaformer.space().count() == 2 * shallow * (2 * deep) ** 2


def test_decisions():
    decisions = metaformer.space().decisions
    mixer = decisions["stage2.3.mixer"]
    assert mixer.kinds == {"pool": "pool", "conv": "conv", "attention": "attention", "none": "skip"}
    assert mixer.when == {(("stage2.depth", ("4",)),)}
    assert decisions["stage1.0.conv.kernel"].when == {(("stage1.0.mixer", ("conv",)),)}


@pytest.mark.parametrize("input", [(1, 8, 8), (3, 33, 20)])
def test_sampled_networks_run(input):
    space = metaformer.space(input=input, classes=4)
    for seed in range(3):
        architecture = space.sample(random.Random(seed))
        model = Model(space, architecture)
        assert model(torch.randn(2, *input)).shape == (2, 4)
        assert sum(p.numel() for p in model.parameters()) == cost(space, architecture).params


def test_supernet_runs_an_architecture_as_the_network_inherited_from_it():
    torch.manual_seed(0)
    space = metaformer.space(input=(1, 8, 8), classes=4)
    supernet, x = Model(space).double().eval(), torch.randn(2, 1, 8, 8, dtype=torch.float64)
    for seed in range(3):
        architecture = space.sample(random.Random(seed))
        assert torch.allclose(supernet(x, architecture), supernet.inherit(architecture)(x), rtol=1e-10)


def test_the_supernet_is_the_largest():
    space = metaformer.space()
    largest = cost(space, EVERYTHING).params
    assert all(cost(space, space.sample(random.Random(seed))).params < largest for seed in range(20))
