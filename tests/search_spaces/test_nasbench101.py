import random

import pytest
import torch

from nasengine.errors import SpaceError
from nasengine.interpreters.cost import cost
from nasengine.interpreters.drawing import text
from nasengine.interpreters.model import Model
from nasengine.interpreters.shape import trace
from nasengine.search_spaces import nasbench101
from nasengine.space import EVERYTHING, Architecture


def cell(*edges: tuple[int, int], operations: tuple[int, ...] = (0, 0, 0, 0, 0)) -> Architecture:
    adjacency = "".join("1" if (s, t) in edges else "0" for s in range(7) for t in range(s + 1, 7))
    return nasbench101.from_cell(adjacency, "".join(map(str, operations)))


def test_decisions_and_their_condition():
    space = nasbench101.space()
    assert len(space.decisions) == 21 + 5
    assert space.decisions["cell.edge_0_3.kept"].kinds == {"no": "zero", "yes": "conv"}
    assert space.decisions["cell.edge_1_3.kept"].kinds == {"no": "zero", "yes": "skip"}
    assert space.decisions["cell.vertex5.op"].options == nasbench101.OPERATIONS
    assert not space.faults(cell((0, 6)).picks)
    (fault,) = space.faults(cell((0, 1), (2, 6)).picks)
    assert "from the input to the output" in fault and "at most 9 edges" in fault


def test_edges_count_after_pruning():
    """As in the published code, which prunes a cell before it looks at its size."""
    space = nasbench101.space()
    nine = [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3), (0, 6), (1, 6), (3, 6)]
    assert space.where(cell(*nine, (0, 4), (1, 4), (2, 4), (3, 4)))
    assert not space.where(cell(*nine, (2, 6)))
    assert nasbench101.cell_of(cell(*nine, (0, 4), (1, 4))).edges == 9


def test_number_of_unequal_cells():
    """NAS-Bench-101 (https://arxiv.org/abs/1902.09635) by the published hash: 423,624 up to seven vertices."""
    found: dict[int, set[str]] = {}
    for architecture in nasbench101.space(vertices=5).enumerate():
        vertices = len(nasbench101.cell_of(architecture).labels) + 2
        found.setdefault(vertices, set()).add(nasbench101.to_string(architecture))
    assert {vertices: len(hashes) for vertices, hashes in found.items()} == {2: 1, 3: 6, 4: 84, 5: 2_441}
    assert len(set().union(*found.values())) == 2_532


def test_published_hash_and_parameters():
    """The first record of the published data."""
    architecture = nasbench101.from_cell("100110100001001010101", "02001")
    assert nasbench101.to_string(architecture) == "00005c142e6f48ac74fdcf73e3439874"
    assert cost(nasbench101.space(), architecture).params == 8_555_530


def test_the_hash_is_that_of_the_graph():
    one = cell((0, 1), (0, 2), (1, 6), (2, 6), operations=(0, 1, 0, 0, 0))
    other = cell((0, 2), (0, 5), (2, 6), (5, 6), (0, 3), operations=(2, 1, 2, 2, 0))
    assert nasbench101.to_string(one) == nasbench101.to_string(other)
    turned = cell((0, 1), (1, 2), (2, 6), operations=(0, 1, 0, 0, 0))
    back = cell((0, 1), (1, 2), (2, 6), operations=(1, 0, 0, 0, 0))
    assert nasbench101.to_string(turned) != nasbench101.to_string(back)


def test_vertices_share_the_width_of_the_output():
    """As the published code computes them: the first ones take the remainder, others the widest that they lead to."""
    lead = 1 << 6
    assert nasbench101.widths([0b1111110, lead, lead, lead, lead, lead], 128) == (0, 26, 26, 26, 25, 25)
    assert nasbench101.widths([0b10, 0b1100, 0b10000, lead, lead, 0], 129) == (0, 65, 64, 65, 64, 0)
    assert nasbench101.widths([lead, 0, 0, 0, 0, 0], 128) == (0, 0, 0, 0, 0, 0)


def test_a_supernet_holds_every_vertex_at_its_widest():
    shapes, output = trace(nasbench101.space(channels=8, cells=1), EVERYTHING)
    assert output == (10,)
    widths = {
        place: settings["width"] for place, (_, settings, _) in shapes.layers.items() if place.startswith("stage1.")
        if "width" in settings
    }  # fmt: skip
    assert widths["stage1.0.vertex5.1.conv3x3"] == widths["stage1.0.edge_0_5.yes"] == 8
    assert [widths[f"stage1.0.edge_{vertex}_6.yes"] for vertex in range(1, 6)] == [2, 2, 2, 1, 1]


def test_dead_vertices_are_not_run():
    shapes, _ = trace(nasbench101.space(cells=1), cell((0, 1), (1, 6), (0, 2), (2, 3), (4, 6)))
    run = {place.split(".")[2] for place in shapes.layers if place.startswith("stage1.")}
    assert run == {"edge_0_1", "vertex1", "edge_1_6"}


def test_a_network_equals_the_cell_written_out():
    torch.manual_seed(0)
    space = nasbench101.space(input=(3, 8, 8), channels=5, cells=1)
    architecture = cell((0, 1), (0, 3), (1, 2), (1, 3), (2, 6), (3, 6), (0, 6), operations=(0, 2, 1, 0, 0))
    model, x = Model(space, architecture).eval(), torch.randn(2, 3, 8, 8)
    layers = dict(model.layers())
    state = layers["stem"](x)
    for name, narrow, after in (("stage1", 2, "pool1"), ("stage2", 5, "pool2"), ("stage3", 10, "head")):
        by = {place.removeprefix(f"{name}.0."): layer for place, layer in layers.items()}
        first = by["vertex1.1.conv3x3"](by["edge_0_1.yes"](state))
        second = by["vertex2.1.maxpool3x3"](first)
        third = by["vertex3.1.conv1x1"](first[:, :narrow] + by["edge_0_3.yes"](state))
        state = layers[after](torch.cat([second, third], 1) + by["edge_0_6.yes"](state))
    assert torch.allclose(model(x), state, atol=1e-6)


def table_of(needs, columns):
    import pandas

    return pandas.read_parquet(needs("tables") / "nasbench101" / "nasbench101_test.parquet", columns=columns)


COLUMNS = ["hash", "num_vertices", "adj_upper", "ops", "params", "macs"]


def check(space, row):
    architecture = nasbench101.from_cell(row.adj_upper, row.ops)
    assert space.where(architecture)
    assert nasbench101.to_string(architecture) == row.hash.hex()
    found = cost(space, architecture)
    assert (found.params, found.macs) == (row.params, row.macs), row.hash.hex()


def test_hash_parameters_and_multiply_adds_equal_the_published_table(needs):
    table = table_of(needs, COLUMNS)
    assert len(table) == 423_624
    space = nasbench101.space()
    for row in table.iloc[:: len(table) // 40].itertuples():
        check(space, row)


@pytest.mark.slow
def test_every_cell_of_five_vertices_equals_the_published_table(needs):
    table, space = table_of(needs, COLUMNS), nasbench101.space()
    few = table[table["num_vertices"] <= 5]
    assert len(few) == 2_532
    for row in few.itertuples():
        check(space, row)


def test_every_proposal_is_in_the_published_table(needs):
    known, space, rng = set(table_of(needs, ["hash"])["hash"]), nasbench101.space(), random.Random(0)
    for _ in range(300):
        one = space.sample(rng)
        assert bytes.fromhex(nasbench101.to_string(one)) in known
        assert bytes.fromhex(nasbench101.to_string(space.mutate(one, rng))) in known


@pytest.mark.parametrize(
    ("adjacency", "operations", "words"),
    [
        ("0101", "0", "adjacency of 4 signs; give 3"),
        ("012", "0", "each 0 or 1"),
        ("011", "3", "not 0, 1 or 2"),
        ("0" * 28, "000000", "8 vertices; at most 7"),
    ],
)
def test_wrong_cells_are_refused(adjacency, operations, words):
    with pytest.raises(SpaceError, match=words):
        nasbench101.from_cell(adjacency, operations)


def test_impossible_sizes_are_refused_with_every_fault():
    with pytest.raises(SpaceError, match=r"cells=0.*vertices=8.*channels=2"):
        nasbench101.space(cells=0, vertices=8, channels=2)


def test_a_cell_is_drawn_without_the_edges_that_are_not_there():
    drawn = text(nasbench101.space(), cell((0, 1), (1, 6)))
    assert drawn.count("yes(") == 2 and "conv3x3" in drawn and "no(" not in drawn


@pytest.mark.parametrize("input", [(1, 8, 8), (3, 5, 7), (3, 1, 1)])
def test_small_images_run(input):
    space = nasbench101.space(input=input, classes=4, channels=5, cells=1)
    for architecture in (space.sample(random.Random(0)), cell((0, 6))):
        assert Model(space, architecture)(torch.randn(2, *input)).shape == (2, 4)
