"""Stages: where they begin, what their blocks are called, and that no parameter is lost."""

import random

import pytest

from nasengine import plugins
from nasengine.interpreters.cells import cells
from nasengine.interpreters.cost import cost
from nasengine.interpreters.drawing import outline, text
from nasengine.interpreters.stages import Block, Part, Stage, stages
from nasengine.layers import BatchNorm, Classifier, ConvNorm, MaxPool
from nasengine.search_spaces import darts, mobile
from nasengine.space import Architecture, Node, Space, chain, choose, op, repeat, residual
from tests.interpreters.test_picture import MACRO


def of(node: Node, **picks: str) -> list[Stage]:
    """The stages of a network on images of 8 pixels; picks with __ for dots."""
    made = {name.replace("__", "."): (kept,) for name, kept in picks.items()}
    return stages(Space("one", (3, 8, 8), node), Architecture(made), {})


def told(stage: Stage) -> list[tuple[int, list[tuple[str, str]]]]:
    """How often each block stands, and its lines."""
    return [(block.times, [line for part in block.parts for line in part.lines]) for block in stage.blocks]


def conv(width: int = 8, **more: object) -> Node:
    return op(ConvNorm, width=width, **more)


def test_a_stage_is_a_step_and_ends_where_the_shape_changes() -> None:
    made = of(chain(first=repeat(conv(), 3), second=chain(conv(16, stride=2), repeat(conv(16), 2), conv(32))))
    assert [(one.name, one.shape_words) for one in made] == [
        ("first", "8×8, 8 channels"),
        ("second", "4×4, 16 channels"),
        ("second", "4×4, 32 channels"),
    ]
    assert [told(one) for one in made] == [
        [(3, [("ConvNorm", "")])],
        [(1, [("ConvNorm", "stride 2")]), (2, [("ConvNorm", "")])],
        [(1, [("ConvNorm", "")])],
    ]


def test_single_blocks_of_one_shape_are_one_stage_and_norms_go_with_it() -> None:
    made = of(chain(stem=conv(), more=conv(), last=conv(), norm=op(BatchNorm), head=op(Classifier, classes=4)))
    assert [one.name for one in made] == ["stem … last", "head"]
    assert told(made[0]) == [(3, [("ConvNorm", "")])] and made[1].shape_words == "4 outputs"


def test_options_are_called_by_their_names_and_what_was_picked_in_them() -> None:
    kernel = choose("kernel", 3, 5)
    mixer = choose("mixer", pool=op(MaxPool), conv=chain(op(BatchNorm), residual(conv(kernel=kernel))))
    block = residual(op(BatchNorm), mixer)
    made = of(chain(stem=conv(), blocks=repeat(block, choose("depth", 2, 3), tie=True)),
              blocks__depth="3", blocks__mixer="conv", blocks__conv__kernel="5")  # fmt: skip
    assert told(made[1]) == [(3, [("conv", "kernel 5")])]
    nested = choose("outer", a=choose("inner", x=conv(), y=op(MaxPool)), b=conv())
    assert told(of(nested, outer="a", outer__a__inner="x", a__inner="x")[0]) == [(1, [("a", "inner x")])]
    two = choose("outer", a=chain(conv(kernel=3), choose("inner", x=conv(), y=op(MaxPool))), b=conv())
    lines = [line for stage in of(two, outer="a", a__inner="y") for _, some in told(stage) for line in some]
    assert ("y", "") in lines


def test_picked_norms_are_told_of_the_stage() -> None:
    norm = choose("norm", batch=op(BatchNorm), none=op(MaxPool))
    made = of(chain(stem=conv(), body=repeat(residual(norm, conv()), 2, tie=True)), body__norm="batch")
    assert made[1].norms == ("norm batch",) and told(made[1]) == [(2, [("ConvNorm", "")])]


def test_published_sizes_of_mobilenet() -> None:
    known = mobile.ARCHITECTURES["MobileNetV3-Large"]
    space = mobile.space(**known.settings)
    made = stages(space, Architecture(known.picks), {})
    assert [one.shape_words for one in made if one.name.startswith("stage")] == [
        "56×56, 24 channels", "28×28, 40 channels", "14×14, 80 channels", "14×14, 112 channels", "7×7, 160 channels",
    ]  # fmt: skip
    fifth = next(one for one in made if one.name == "stage5")
    assert fifth.blocks == (Block((Part((("MBConv", "expand 6, kernel 5"),), "conv"),), 3),)


@pytest.mark.parametrize("name", [*MACRO, "darts", "nasnet", "nasbench101", "nasbench201", "small-cell"])
def test_no_parameter_is_lost(name: str) -> None:
    space = plugins.load_space(name, {})
    architecture = space.sample(random.Random(5))
    made = stages(space, architecture, cells(space.network))
    assert sum(one.params for one in made) == cost(space, architecture).params
    assert all(one.blocks for one in made)


def test_the_outline_is_that_of_stages_or_of_cells() -> None:
    space = darts.space(layers=3)
    picks = Architecture(darts.ARCHITECTURES["PRDARTS"].picks)
    assert outline(space, picks) == text(space, picks)
    own = Space(
        "own", (3, 8, 8), chain(body=repeat(residual(op(BatchNorm), conv(3)), 4), head=op(Classifier, classes=2))
    )
    assert outline(own, Architecture({})).splitlines() == [
        "own, input 8×8, 3 channels",
        "body: 8×8, 3 channels, 84 parameters",
        "     4x  ConvNorm",
        "head: 2 outputs, 8 parameters",
        "     1x  Classifier classes 2",
    ]
