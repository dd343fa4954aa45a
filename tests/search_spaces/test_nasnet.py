import random

import pytest
import torch

from nasengine.errors import SpaceError
from nasengine.interpreters.cost import cost
from nasengine.interpreters.digest import digest
from nasengine.interpreters.model import Model
from nasengine.interpreters.shape import trace
from nasengine.layers import FactorizedReduce, ReLUConvNorm, ScheduledDropPath
from nasengine.search_spaces import nasnet
from nasengine.space import EVERYTHING, Architecture

CELLS = 2_286_906_949_584_691_200  # 720^2 choices of inputs, 13^10 of operations, 2^5 ways to combine
IMAGENET = {"classes": 1000, "stem": "imagenet"}
PLAIN = "id@0 id@1 | id@0 id@1 | id@0 id@1 | id@0 id@1 | id@0 id@1"


def of(normal: str, reduce: str = PLAIN, combine: bool = True) -> Architecture:
    return Architecture(nasnet.cells(normal, reduce, combine))


def test_counts_of_both_spaces():
    """The NASNet paper's (https://arxiv.org/abs/1707.07012), and AmoebaNet's (https://arxiv.org/abs/1802.01548)."""
    space = nasnet.space()
    assert CELLS == 720**2 * 13**10 * 2**5
    assert space.count() == CELLS**2
    eight = nasnet.space(operations="amoebanet", combine=False).count()
    assert eight == (720**2 * 8**10) ** 2
    assert f"{eight:.2e}" == "3.10e+29"


def test_decisions():
    space = nasnet.space()
    assert len(space.decisions) == 2 * (10 + 10 + 5)
    assert all(not decision.when for decision in space.decisions.values()), "every question is always asked"
    assert space.decisions["reduce.block3_right.input"].options == ("previous", "earlier", "block1", "block2")
    assert space.decisions["normal.block5_left.op"].kinds == {
        "identity": "skip", "conv_1x3_3x1": "conv", "conv_1x7_7x1": "conv", "dil_conv_3x3": "conv",
        "avg_pool_3x3": "pool", "max_pool_3x3": "pool", "max_pool_5x5": "pool", "max_pool_7x7": "pool",
        "conv_1x1": "conv", "conv_3x3": "conv", "sep_conv_3x3": "conv", "sep_conv_5x5": "conv",
        "sep_conv_7x7": "conv",
    }  # fmt: skip


def test_pointing_a_block_at_another_state_keeps_its_operation():
    """AmoebaNet's hidden-state mutation."""
    space, rng = nasnet.space(), random.Random(0)
    for _ in range(100):
        one = space.sample(rng)
        other = space.mutate(one, rng)
        assert sum(one.picks[name] != other.picks[name] for name in one.picks) == 1


def test_scales_share_their_decisions():
    small = nasnet.space(channels=4, cells=1)
    assert small.decisions == nasnet.space(channels=44, cells=4, **IMAGENET).decisions


def unprojected_stem(width: int, stem: int) -> int:
    """What the published code spends on the stem's output, which enters the first cell of NASNet-A as it is.

    Three separable convolutions of the reduction cell read it, of kernels 7, 7 and 5; here it is projected first.
    """
    wider = sum((stem - width) * (kernel**2 + width) for kernel in (7, 7, 5))
    return wider - (stem * width + 2 * width)


@pytest.mark.parametrize(
    ("settings", "stem", "published", "macs"),
    [
        ({"input": (3, 224, 224), "channels": 44, "cells": 4}, 32, 5_289_978, 564e6),
        (
            {"input": (3, 331, 331), "channels": 168, "cells": 6, "stem_channels": 96, "skip_reduction": True},
            96,
            88_753_150,
            23.8e9,
        ),
    ],
)
def test_nasnet_a_has_the_published_number_of_weights(settings, stem, published, macs):
    """NASNet-A 4@1056 and 6@4032 on ImageNet: 5.3M and 88.9M in the paper, exactly these in the published weights."""
    architecture = nasnet.ARCHITECTURES["NASNet_A"]
    space = nasnet.space(**{**architecture.settings, **IMAGENET, **settings})
    found = cost(space, space.check(architecture.picks))
    assert found.params + unprojected_stem(settings["channels"] // 4, stem) == published
    assert found.macs == pytest.approx(macs, rel=0.015)


@pytest.mark.parametrize(
    ("name", "settings", "millions"),
    [
        ("NASNet_A", {}, 3.3),
        ("AmoebaNet_A", {}, 3.2),
        ("AmoebaNet_A", {**IMAGENET, "input": (3, 331, 331), "channels": 190}, 86.7),
    ],
)
def test_named_architectures_have_the_size_that_their_papers_give(name, settings, millions):
    architecture = nasnet.ARCHITECTURES[name]
    space = nasnet.space(**{**architecture.settings, **settings})
    assert round(cost(space, space.check(architecture.picks)).params / 1e6, 1) == millions


def concatenated(normal: str, **settings) -> set[str]:
    shapes, _ = trace(nasnet.space(channels=4, cells=1, **settings), of(normal))
    return {
        place.split(".")[1].removesuffix("_out") for place in shapes.layers if "cell0." in place and "_out" in place
    }


def test_states_that_no_block_reads_are_concatenated():
    assert concatenated(PLAIN) == {"block1", "block2", "block3", "block4", "block5"}
    assert concatenated("id@0 id@0 | id@0 id@2 | id@3 id@3 | id@4 id@4 | id@5 id@5") == {"earlier", "block5"}
    assert concatenated(PLAIN, normal_outputs=(0, 2, 6)) == {"previous", "block1", "block5"}


def test_unread_inputs_of_a_reduction_cell_are_halved():
    chain = "id@0 id@0 | id@2 id@2 | id@3 id@3 | id@4 id@4 | id@5 id@5"
    shapes, _ = trace(nasnet.space(channels=4, cells=1), of(PLAIN, chain))
    assert shapes.layers["cell1.earlier_out"][0] is FactorizedReduce
    assert shapes.layers["cell2.earlier"][0] is FactorizedReduce, "what lies before a reduction is larger"
    assert shapes.layers["cell1.earlier"][0] is ReLUConvNorm


def test_the_order_of_a_sum_does_not_matter():
    space = nasnet.space(channels=4, cells=1)
    one, other = of(PLAIN.replace("id@0 id@1", "s3@0 m3@1", 1)), of(PLAIN.replace("id@0 id@1", "m3@1 s3@0", 1))
    assert one != other and digest(space, one) == digest(space, other)


def test_drop_path_is_scheduled_by_depth_and_spares_identities():
    space = nasnet.space(channels=4, cells=1)
    model = Model(space, of(PLAIN.replace("id@0", "s3@0", 1), PLAIN.replace("id@0", "s3@0", 1)))
    drops = {place.split(".")[0]: m for place, m in model.layers() if isinstance(m, ScheduledDropPath)}
    assert list(drops) == ["cell0", "cell1", "cell2", "cell3", "cell4"]
    for drop in drops.values():
        drop.set_drop_rate(0.4)
    assert [drop.rate for drop in drops.values()] == pytest.approx([0.08, 0.16, 0.24, 0.32, 0.4])
    shapes, _ = trace(nasnet.space(drop_path=False, cells=1, blocks=2), EVERYTHING)
    assert not any(layer is ScheduledDropPath for layer, _, _ in shapes.layers.values())


def test_a_network_equals_the_cells_written_out():
    torch.manual_seed(0)
    space = nasnet.space(input=(3, 8, 8), channels=4, cells=1, blocks=2)
    picks = {
        **nasnet.cells("s3@0 id@1 | m3@2 a3@0", "id@1 s5@1 | id@2 m3@1", combine=True),
        "normal.block2.combine": ("concat",),
    }
    model, x = Model(space, space.check(picks)).eval(), torch.randn(2, 3, 8, 8)
    layers = dict(model.layers())

    def cell(name, previous, earlier):
        def at(place, value):
            return layers[f"{name}.{place}"](value)

        previous, earlier = at("previous", previous), at("earlier", earlier)
        if name in ("cell1", "cell3"):
            first = at("block1_left.earlier.identity", earlier) + at("block1_right.earlier.sep_conv_5x5.0", earlier)
            pooled = torch.nn.functional.max_pool2d(earlier, 3, 2, 1)
            return torch.cat([at("previous_out", previous), first + pooled], 1)
        first = at("block1_left.previous.sep_conv_3x3.0", previous) + earlier
        second = torch.cat(
            [
                torch.nn.functional.max_pool2d(first, 3, 1, 1),
                torch.nn.functional.avg_pool2d(previous, 3, 1, 1, count_include_pad=False),
            ],
            1,
        )
        return at("block2.concat.1", second)

    stem = layers["stem"](x)
    states = [stem, stem]
    for number in range(5):
        states.append(cell(f"cell{number}", states[-1], states[-2]))
    assert torch.allclose(model(x), layers["head.1"](torch.relu(states[-1])), atol=1e-6)


def test_a_supernet_has_room_for_every_state():
    shapes, _ = trace(nasnet.space(channels=4, cells=1, blocks=2), EVERYTHING)
    assert shapes.layers["cell1.previous"][2] == ((4 * 4, 32, 32),), "two inputs and two blocks"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"channels": 0, "cells": 0}, r"channels=0 \(at least 1\), cells=0 \(at least 1\)"),
        ({"channels": 3, "stem": "imagenet"}, r"channels=3 \(at least 4\)"),
        ({"normal_outputs": (1, 1)}, r"normal_outputs=\(1, 1\) \(0 to 6, each once\)"),
        ({"reduce_outputs": (4,), "blocks": 2}, r"reduce_outputs=\(4,\) \(0 to 3, each once\)"),
    ],
)
def test_impossible_sizes_are_refused(settings, words):
    with pytest.raises(SpaceError, match=words):
        nasnet.space(**settings)


@pytest.mark.parametrize("stem", ["cifar", "imagenet"])
@pytest.mark.parametrize("input", [(1, 8, 8), (3, 5, 7), (3, 1, 1)])
def test_small_images_run(input, stem):
    space = nasnet.space(input=input, classes=4, channels=8, cells=1, auxiliary=True, stem=stem)
    model = Model(space, space.sample(random.Random(0)))
    scores, asides = model.forward_with_asides(torch.randn(4, *input))
    assert scores.shape == asides["auxiliary"].shape == (4, 4)
