import random
from collections.abc import Sequence

import pytest
import torch

from nasengine.errors import SpaceError
from nasengine.interpreters.cost import cost
from nasengine.interpreters.model import Model
from nasengine.search_spaces import nasbench201
from nasengine.space import Architecture

EDGES = nasbench201.EDGES


def cell_of(*operations: str) -> Architecture:
    return Architecture({nasbench201.decision(*e): (o,) for e, o in zip(EDGES, operations, strict=True)})


def operations_of(cell: Architecture) -> list[str]:
    return [cell.picks[nasbench201.decision(*edge)][0] for edge in EDGES]


def parameters(cell: Architecture, cells: int = 5, classes: int = 10) -> int:
    """Stem, cells and reductions written out by hand (NAS-Bench-201, https://arxiv.org/abs/2001.00326)."""
    operations = operations_of(cell)
    n3, n1 = operations.count("nor_conv_3x3"), operations.count("nor_conv_1x1")
    inside = sum(n3 * (9 * c * c + 2 * c) + n1 * (c * c + 2 * c) for c in (16, 32, 64))
    return 464 + cells * inside + 14_464 + 57_600 + 128 + 65 * classes


def macs(cell: Architecture) -> int:
    operations = operations_of(cell)
    n3, n1 = operations.count("nor_conv_3x3"), operations.count("nor_conv_1x1")
    return 442_368 + 15 * (9 * n3 + n1) * 262_144 + 2 * 3_670_016 + 640


def test_there_are_15625_cells():
    space = nasbench201.space()
    assert space.count() == 15_625 == len({nasbench201.to_string(a) for a in space.enumerate()})
    assert list(space.decisions) == [nasbench201.decision(*edge) for edge in EDGES]
    assert space.decisions["cell.edge_0_1.op"].kinds == {
        "none": "zero", "skip_connect": "skip", "nor_conv_1x1": "conv", "nor_conv_3x3": "conv", "avg_pool_3x3": "pool",
    }  # fmt: skip


def test_parameters_of_every_cell():
    """All cells with one cell a stage, where a walk is short; the published depth is below."""
    space = nasbench201.space(cells=1)
    assert all(cost(space, cell).params == parameters(cell, cells=1) for cell in space.enumerate())


def test_parameters_and_multiply_adds_at_the_published_depth():
    space, rng = nasbench201.space(), random.Random(0)
    for cell in [space.sample(rng) for _ in range(200)]:
        found = cost(space, cell)
        assert (found.params, found.macs) == (parameters(cell), macs(cell))


@pytest.mark.parametrize(
    ("operations", "params", "million_macs"),
    [
        (["nor_conv_3x3"] * 6, 1_531_546, 220.12),
        (["nor_conv_3x3"] * 4 + ["nor_conv_1x1", "skip_connect"], 1_073_466, 153.27),
        (["nor_conv_3x3"] * 3 + ["nor_conv_1x1"] * 2 + ["none"], None, 121.82),
        (["skip_connect"] * 6, 73_306, 7.78),
    ],
)
def test_figures_that_the_published_tables_print(operations, params, million_macs):
    found = cost(nasbench201.space(), cell_of(*operations))
    assert params in (None, found.params)
    assert found.macs / 1e6 == pytest.approx(million_macs, abs=0.005)


def test_other_data_sets():
    cell = cell_of(*["nor_conv_3x3"] * 4, "nor_conv_1x1", "skip_connect")
    assert cost(nasbench201.space(classes=100), cell).params == 1_073_466 - 650 + 6_500
    assert cost(nasbench201.space(input=(3, 16, 16), classes=120), cell).macs / 1e6 == pytest.approx(38.33, abs=0.005)


def test_parameters_and_multiply_adds_equal_the_published_table(needs):
    import pandas

    table = pandas.read_parquet(needs("tables") / "nasbench201" / "nasbench201.parquet")
    assert len(table) == 15_625
    space, rng = nasbench201.space(), random.Random(1)
    measured = set(rng.sample(range(15_625), 100))
    rows = zip(table["arch_str"], table["cifar10_params"], table["cifar10_flops"], strict=True)
    for i, (text, params, flops) in enumerate(rows):
        cell = nasbench201.from_string(text)
        assert nasbench201.to_string(cell) == text
        assert (parameters(cell), macs(cell) + 10) == (params, flops), "the table counts the classifier's ten biases"
        if i in measured:
            assert cost(space, cell).params == params


def canonical(operations: Sequence[str], zero: bool) -> str:
    """The authors' own rule for equal cells: a spelling per node, terms sorted, sums never flattened."""
    spelled, given = ["0"], iter(operations)
    for target in (1, 2, 3):
        terms = []
        for source in range(target):
            operation = next(given)
            if zero and (operation == "none" or spelled[source] == "#"):
                terms.append("#")
            elif operation == "skip_connect":
                terms.append(spelled[source])
            else:
                terms.append(f"({spelled[source]})@{operation}")
        spelled.append("+".join(sorted(terms)))
    return spelled[-1]


def test_number_of_unequal_cells_by_the_authors_rule():
    """NAS-Bench-201 (https://arxiv.org/abs/2001.00326): 12,751 cells differ, 6,466 when zeros are removed too."""
    by_node = [((0, 1),), ((0, 2), (1, 2)), ((0, 3), (1, 3), (2, 3))]
    assert [edge for node in by_node for edge in node] == list(EDGES)
    cells = [operations_of(cell) for cell in nasbench201.space().enumerate()]
    assert len({canonical(cell, zero=False) for cell in cells}) == 12_751
    assert len({canonical(cell, zero=True) for cell in cells}) == 6_466


def test_published_spelling():
    text = "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|skip_connect~2|"
    cell = nasbench201.from_string(text)
    assert cell.picks["cell.edge_1_2.op"] == ("nor_conv_3x3",)
    assert cell.picks["cell.edge_0_3.op"] == ("skip_connect",)
    assert nasbench201.to_string(cell) == text
    assert nasbench201.space().check(cell.picks) == cell


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("|none~0|+|none~0|none~1|+|none~0|none~1|nor_conv_3x4~2|", 'nor_conv_3x4" is no operation.*nor_conv_3x3'),
        ("|none~0|+|none~0|none~1|", "nodes and sources"),
        ("|none~0|+|none~1|none~0|+|none~0|none~1|none~2|", "nodes and sources"),
        ("", "is no operation.*nodes and sources"),
    ],
)
def test_wrong_spellings_are_refused_with_every_fault(text, words):
    with pytest.raises(SpaceError, match=words):
        nasbench201.from_string(text)


def test_a_network_equals_the_cell_written_out():
    torch.manual_seed(0)
    space = nasbench201.space(input=(3, 8, 8), channels=4, cells=1)
    cell = cell_of("nor_conv_3x3", "skip_connect", "avg_pool_3x3", "none", "skip_connect", "nor_conv_1x1")
    model, x = Model(space, cell).eval(), torch.randn(2, 3, 8, 8)
    layers = dict(model.layers())

    def stage(name: str, state: torch.Tensor) -> torch.Tensor:
        conv3, pool, conv1 = (
            layers[f"{name}.0.{place}"]
            for place in ("edge_0_1.nor_conv_3x3", "edge_1_2.avg_pool_3x3", "edge_2_3.nor_conv_1x1")
        )
        node1 = conv3(state)
        return node1 + conv1(state + pool(node1))

    state = layers["stem"](x)
    for name, after in (("stage1", "reduction1"), ("stage2", "reduction2"), ("stage3", "head")):
        state = layers[after](stage(name, state))
    assert torch.allclose(model(x), state, atol=1e-6)


@pytest.mark.parametrize("input", [(1, 8, 8), (3, 5, 7), (3, 1, 1)])
def test_small_images_run_even_without_a_path(input):
    space = nasbench201.space(input=input, classes=4, channels=4, cells=1)
    for cell in (space.sample(random.Random(0)), cell_of(*["none"] * 6)):
        assert Model(space, cell)(torch.randn(2, *input)).shape == (2, 4)
