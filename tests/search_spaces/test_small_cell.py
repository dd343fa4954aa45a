import random
from itertools import product

import pytest
import torch

from nasengine.errors import SpaceError
from nasengine.interpreters.cost import cost
from nasengine.interpreters.digest import digest
from nasengine.interpreters.model import Model
from nasengine.search_spaces import small_cell
from nasengine.space import Architecture

EDGES = small_cell.EDGES


def cell_of(*operations: str) -> Architecture:
    return Architecture({small_cell.decision(*e): (o,) for e, o in zip(EDGES, operations, strict=True)})


def test_there_are_1024_cells_of_which_582_differ():
    """Four operations on five edges; the number of unequal cells is counted by the rule written out below."""
    space = small_cell.space()
    cells = list(space.enumerate())
    assert EDGES == ((0, 1), (0, 2), (1, 2), (1, 3), (2, 3))
    assert space.count() == len(cells) == 4**5 == len({small_cell.to_string(cell) for cell in cells})
    assert len({digest(space, cell) for cell in cells}) == 582
    assert len({unequal(*operations) for operations in product(small_cell.OPERATIONS, repeat=5)}) == 582


def unequal(e01: str, e02: str, e12: str, e13: str, e23: str) -> object:
    """What is left of a cell: sums in any order; pooled zeros are zeros, convolved ones are not, for norms shift."""

    def through(operation: str, value: tuple) -> tuple:
        if operation == "none" or (operation == "max_pool_3x3" and not value):
            return ()
        return ((operation, value),)

    def summed(*values: tuple) -> tuple:
        return tuple(sorted((term for value in values for term in value), key=repr))

    node1 = through(e01, ("input",))
    node2 = summed(through(e02, ("input",)), through(e12, node1))
    return summed(through(e13, node1), through(e23, node2))


def test_parameters_and_multiply_adds_of_every_cell():
    """Written out: the stem, the convolutions of both stages, the pointwise between them, and the classifier."""
    space = small_cell.space()
    for cell in space.enumerate():
        operations = [cell.picks[small_cell.decision(*edge)][0] for edge in EDGES]
        n3, n1 = operations.count("conv_3x3"), operations.count("conv_1x1")
        params = sum(n3 * (9 * c * c + 2 * c) + n1 * (c * c + 2 * c) for c in (8, 16))
        macs = sum((9 * n3 + n1) * c * c * side * side for c, side in ((8, 8), (16, 4)))
        found = cost(space, cell)
        assert found.params == params + (9 * 8 + 16) + (8 * 16 + 32) + (32 + 16 * 10 + 10)
        assert found.macs == macs + 64 * 9 * 8 + 16 * 8 * 16 + 16 * 10


def test_spelling():
    text = "|conv_3x3~0|+|none~0|max_pool_3x3~1|+|conv_1x1~1|conv_3x3~2|"
    cell = small_cell.from_string(text)
    assert cell == cell_of("conv_3x3", "none", "max_pool_3x3", "conv_1x1", "conv_3x3")
    assert all(small_cell.from_string(small_cell.to_string(one)) == one for one in small_cell.space().enumerate())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("|conv_3x4~0|+|none~0|none~1|+|none~1|none~2|", 'conv_3x4" is no operation.*conv_3x3'),
        ("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|", "nodes and sources"),
        ("|none~0|+|none~1|none~0|+|none~1|none~2|", "nodes and sources"),
        ("", "is no operation.*nodes and sources"),
    ],
)
def test_wrong_spellings_are_refused_with_every_fault(text, words):
    with pytest.raises(SpaceError, match=words):
        small_cell.from_string(text)


def test_a_width_below_one_is_refused():
    with pytest.raises(SpaceError, match="channels=0"):
        small_cell.space(channels=0)


def test_a_network_equals_the_cell_written_out():
    torch.manual_seed(0)
    cell = cell_of("conv_3x3", "max_pool_3x3", "conv_1x1", "none", "conv_3x3")
    model, x = Model(small_cell.space(), cell).eval(), torch.randn(2, 1, 8, 8)
    layers = dict(model.layers())

    def stage(name: str, state: torch.Tensor) -> torch.Tensor:
        node1 = layers[f"{name}.edge_0_1.conv_3x3"](state)
        node2 = layers[f"{name}.edge_0_2.max_pool_3x3"](state) + layers[f"{name}.edge_1_2.conv_1x1"](node1)
        return layers[f"{name}.edge_2_3.conv_3x3"](node2)

    state = stage("stage1", layers["stem"](x))
    state = stage("stage2", layers["widen"](layers["pool"](state)))
    assert torch.allclose(model(x), layers["head"](state), atol=1e-6)


@pytest.mark.parametrize("input", [(1, 8, 8), (3, 5, 7), (3, 1, 1)])
def test_other_images_run_even_without_a_path(input):
    space = small_cell.space(input=input, classes=4)
    for cell in (space.sample(random.Random(0)), cell_of(*["none"] * 5)):
        assert Model(space, cell)(torch.randn(2, *input)).shape == (2, 4)
