import random

import pytest
import torch

from nasengine.errors import SpaceError
from nasengine.interpreters.cost import cost
from nasengine.interpreters.model import Model
from nasengine.search_spaces import emo

NAMED = emo.ARCHITECTURES
# EMO (https://arxiv.org/abs/2301.01146) gives 1.3, 2.3, 5.1 and 6.1 million parameters, and 261, 439, 903 and 961
# million operations. Here are parameters, and the multiply-adds of convolutions and products, one or two percent fewer
PUBLISHED = {
    "EMO-1M": (1.3, 261, 1_361_168, 255_237_672),
    "EMO-2M": (2.3, 439, 2_377_472, 431_917_024),
    "EMO-5M": (5.1, 903, 5_108_848, 892_224_000),
    "EMO-6M": (6.1, 961, 6_168_496, 950_250_048),
}
SMALL = {"widths": (8, 8, 16, 16), "depths": (1, 2, 2, 2), "heads": (4, 4, 8, 8), "stem": 8}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_networks_have_the_papers_size(name):
    millions, mega, params, macs = PUBLISHED[name]
    space = emo.space(**NAMED[name].settings)
    found = cost(space, space.check(NAMED[name].picks))
    assert (found.params, found.macs) == (params, macs)
    assert found.params // 100_000 == round(10 * millions), "cut off, not rounded"
    assert 0.97 < found.macs / 1e6 / mega < 1


def test_names_in_the_state_dict():
    space = emo.space(**NAMED["EMO-1M"].settings)
    with torch.device("meta"):
        model = Model(space, space.check(NAMED["EMO-1M"].picks))
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    assert shapes["stage3.blocks.6.mixer.attention.query.weight"] == (80, 80, 1, 1)
    assert shapes["stage4.down.conv.up.weight"] == (80 * 7, 80, 1, 1), "twice the expansion of 3.5"
    assert shapes["stage1.blocks.0.mixer.conv.depthwise.weight"] == (64, 1, 3, 3)


def test_the_supernet_runs_an_architecture_as_the_network_inherited_from_it():
    torch.manual_seed(0)
    space = emo.space((1, 16, 12), 4, **SMALL)
    supernet, x = Model(space).double().eval(), torch.randn(2, 1, 16, 12, dtype=torch.float64)
    for seed in range(3):
        one = space.sample(random.Random(seed))
        assert torch.allclose(supernet(x, one), supernet.inherit(one)(x), rtol=1e-10)


def test_every_fault_is_said_at_once_with_place_and_remedy():
    with pytest.raises(SpaceError) as caught:
        emo.space((3, 2, 2), widths=(32, 50, 80, 168), depths=(1, 1), kernels=(4,), window=0, smallest_map=2)
    lines = str(caught.value).splitlines()
    assert [line.split(" came;")[0] for line in lines] == [
        "space emo: depths=(1, 1)",
        "space emo: stage2.down.conv.width: 50 channels",
        "space emo: kernels=(4,)",
        "space emo: window=0",
        "space emo: smallest_map=2",
    ]
    assert "heads of 16 must divide them, change widths or heads" in lines[1]
    with pytest.raises(SpaceError, match="images of 3 by 8 pixels came; the last maps have at least 4 pixels a side"):
        emo.space((3, 3, 8))
