"""Encodings: columns that mean one thing, the published path encoding, and graphs that follow the network."""

import itertools
import random
import subprocess
import sys

import networkx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasengine.errors import SpaceError
from nasengine.interpreters.encoding import columns, graph, one_hot, paths
from nasengine.layers import ConvNorm, DropPath, Identity, MaxPool
from nasengine.search_spaces import darts, nasbench201
from nasengine.space import (
    Architecture,
    Node,
    Space,
    add,
    chain,
    choose,
    network,
    op,
    reads,
    repeat,
    residual,
    shared,
)
from tests.space.random_spaces import PROPERTY, spaces

RANDOMS = st.randoms(use_true_random=False)


def conv(kernel: object = 3) -> Node:
    return op(ConvNorm, width=3, kernel=kernel)


def tried(node: Node) -> Space:
    return Space("tried", (3, 8, 8), node)


def test_one_hot_columns_are_decisions_and_options() -> None:
    space = tried(choose("op", keep=(0, 2), a=conv(choose("kernel", 1, 3)), b=op(MaxPool), c=op(Identity)))
    assert columns(space) == [("op", "a"), ("op", "b"), ("op", "c"), ("a.kernel", "1"), ("a.kernel", "3")]
    assert one_hot(space, Architecture({"op": ("a", "c"), "a.kernel": ("3",)})) == [1.0, 0.0, 1.0, 0.0, 1.0]
    assert one_hot(space, Architecture({"op": ("b",)})) == [0.0, 1.0, 0.0, 0.0, 0.0]


@PROPERTY
@given(spaces(condition=False), RANDOMS)
def test_one_hot_tells_architectures_apart(space: Space, rng: random.Random) -> None:
    made = {space.sample(rng) for _ in range(10)}
    encoded = {tuple(one_hot(space, one)) for one in made}
    assert len(encoded) == len(made)
    assert {len(one) for one in encoded} == {len(columns(space))}


def spelled(text: str) -> frozenset[tuple[str, ...]]:
    space = nasbench201.space(channels=4, cells=1)
    return paths(space, nasbench201.from_string(text))


def test_paths_of_a_cell_of_nas_bench_201() -> None:
    found = spelled("|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_1x1~1|nor_conv_3x3~2|")
    start = ("cell", "input")
    assert found == {
        (*start, "avg_pool_3x3"),
        (*start, "nor_conv_3x3", "nor_conv_1x1"),
        (*start, "none", "nor_conv_3x3"),
        (*start, "nor_conv_3x3", "skip_connect", "nor_conv_3x3"),
    }


def test_all_paths_of_nas_bench_201_are_those_of_the_encoding() -> None:
    # BANANAS (https://arxiv.org/abs/1910.11858): a cell has four ways through, of one, two, two and three operations
    rng = random.Random(0)
    space = nasbench201.space(channels=4, cells=1)
    operations = nasbench201.OPERATIONS
    possible = {("cell", "input", *path) for n in (1, 2, 3) for path in itertools.product(operations, repeat=n)}
    for _ in range(100):
        found = paths(space, space.sample(rng))
        assert found <= possible
        lengths = sorted(len(path) - 2 for path in found)
        assert lengths in ([1, 2, 2, 3], [1, 2, 3])


def test_paths_of_darts_start_at_one_of_two_inputs_of_either_cell() -> None:
    found = paths(darts.space(), Architecture(darts.ARCHITECTURES["PRDARTS"].picks))
    assert {path[:2] for path in found} == {
        ("normal", "input0"), ("normal", "input1"), ("reduce", "input0"), ("reduce", "input1"),
    }  # fmt: skip
    assert ("normal", "input0", "skip_connect") in found
    longest = ("normal", "input1", "sep_conv_3x3", "dil_conv_3x3", "dil_conv_3x3", "dil_conv_3x3")
    assert longest in found and max(map(len, found)) == len(longest)


def test_paths_hold_what_was_picked_only() -> None:
    space = tried(chain(conv(), residual(choose("m", a=op(MaxPool), b=op(Identity))), conv(choose("kernel", 1, 3))))
    last = "ConvNorm[width=3, kernel=1]"
    assert paths(space, Architecture({"m": ("a",), "kernel": ("1",)})) == {(last,), ("a", last)}
    assert paths(tried(conv()), Architecture({})) == frozenset()


def test_too_many_paths_are_refused_with_a_way_out() -> None:
    body = choose("op", **{f"o{i}": conv() for i in range(9)})
    space = tried(repeat(residual(body), 20))
    names = {f"{i}.op": (f"o{i % 9}",) for i in range(20)}
    with pytest.raises(SpaceError, match="more than 100000 paths; use one_hot or graph"):
        paths(space, Architecture(names))


def test_a_graph_knows_labels_kinds_settings_and_places() -> None:
    space = tried(chain(a=conv(choose("kernel", 1, 3)), b=residual(op(MaxPool), op(DropPath))))
    made = graph(space, Architecture({"kernel": ("1",), "a.kernel": ("1",)}))
    assert [made.nodes[n]["kind"] for n in made] == ["input", "conv", "pool", "add", "output"]
    assert made.nodes[1] == {
        "label": "ConvNorm[width=3]", "kind": "conv", "place": "a", "settings": {"width": 3, "kernel": 1},
    }  # fmt: skip
    assert list(made.edges) == [(0, 1), (1, 2), (1, 3), (2, 3), (3, 4)]
    assert [made.edges[edge]["positions"] for edge in ((1, 3), (2, 3))] == [(0,), (1,)]


def test_a_value_read_twice_is_one_edge_with_two_positions() -> None:
    space = tried(network(a=conv(), b=reads("a", "a", add())))
    assert graph(space, Architecture({})).edges[1, 2]["positions"] == (0, 1)


def test_every_cell_of_the_network_is_in_the_graph() -> None:
    space = nasbench201.space(cells=2)
    architecture = space.sample(random.Random(0))
    made = graph(space, architecture)
    assert sum("edge_0_1" in place for _, place in made.nodes(data="place")) == 6
    assert networkx.is_directed_acyclic_graph(made)


@PROPERTY
@given(spaces(), RANDOMS)
def test_graphs_run_from_the_input_to_the_output(space: Space, rng: random.Random) -> None:
    made = graph(space, space.sample(rng))
    assert all(source < target for source, target in made.edges)
    assert made.nodes[0]["kind"] == "input" and made.nodes[len(made) - 1]["kind"] == "output"
    inner = [n for n in made if 0 < n < len(made) - 1]
    assert all(made.in_degree(n) for n in inner)
    assert all(len(made.nodes[n]["place"]) for n in inner if made.nodes[n]["kind"] in ("conv", "pool"))


def test_the_shared_piece_is_run_at_every_place_but_encoded_once() -> None:
    cell = shared("cell", choose("op", a=conv(), b=op(MaxPool)))
    space = tried(chain(cell, cell, cell))
    architecture = Architecture({"cell.op": ("a",)})
    assert paths(space, architecture) == {("cell", "input", "a")}
    assert len(graph(space, architecture)) == 5


def test_networkx_waits_until_a_graph_is_wanted() -> None:
    code = "import sys, nasengine.interpreters.encoding; print('networkx' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "False\n"
