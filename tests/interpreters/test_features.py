"""Features: the published lengths, what lies on live paths, and the same columns for every architecture."""

import itertools
import random

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasengine.interpreters.encoding import one_hot
from nasengine.interpreters.features import Code, Features
from nasengine.layers import ConvNorm, Identity, MaxPool, Zero
from nasengine.search_spaces import darts, nasbench101, nasbench201
from nasengine.space import Architecture, Space, chain, choose, op, residual
from tests.space.random_spaces import PROPERTY, spaces

RANDOMS = st.randoms(use_true_random=False)
CONV = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|"


def row(features: Features, architecture: Architecture) -> dict[str, float]:
    """The numbers of one architecture by name, zeros left out."""
    numbers = features.of([architecture])[0]
    return {name: float(number) for name, number in zip(features.names, numbers, strict=True) if number}


@PROPERTY
@given(spaces(condition=False), RANDOMS)
def test_rows_are_equally_long_and_begin_with_the_one_hot_code(space: Space, rng: random.Random) -> None:
    drawn = [space.sample(rng) for _ in range(5)]
    features = Features(space)
    made = features.of(drawn)
    assert made.shape == (5, len(features.names)) and numpy.isfinite(made).all()
    assert made[:, : len(features.options)].tolist() == [one_hot(space, one) for one in drawn]
    assert (made[:, len(features.options) :] == Features(space, "graph").of(drawn)).all()


def test_the_code_of_gbdt_nas_for_its_mobile_space_has_147_columns() -> None:
    """Luo et al., 2020 (https://arxiv.org/abs/2007.04785): 21 layers of 7 operations; no zero begins a stage."""
    names = [*(f"mb{e}_{k}x{k}" for e in (3, 6) for k in (3, 5, 7)), "zero"]
    layers = {f"layer{n}": choose("op", **{name: op(Identity) for name in names}) for n in range(21)}
    free = Space("mobile", (3, 32, 32), chain(**layers))
    space = free.restrict({f"layer{n}.op": names[:6] for n in (0, 4, 8, 12, 16, 20)})
    assert space.count() == 6**6 * 7**15 == 221_502_229_807_900_608
    features = Features(free, "one-hot")
    made = features.of([space.sample(random.Random(0))])
    assert made.shape == (1, 147) and made.sum() == 21


def test_all_paths_of_nas_bench_201_are_155() -> None:
    """White et al., 2021 (https://arxiv.org/abs/1910.11858): 5 + 25 + 125 paths of one, two and three operations."""
    space = nasbench201.space()
    edges = [nasbench201.decision(*edge) for edge in nasbench201.EDGES]  # 01 02 12 03 13 23
    some = [(a, b, b, a, b, c) for a, b, c in itertools.product(nasbench201.OPERATIONS, repeat=3)]
    features = Features(space, "paths")
    features.learn([Architecture({name: (o,) for name, o in zip(edges, ops, strict=True)}) for ops in some])
    assert len(features.names) == 155
    assert features.of([nasbench201.from_string(CONV)]).sum() == 3  # paths of equal operations are one
    features.learn([space.sample(random.Random(seed)) for seed in range(200)])
    assert len(features.names) == 155


def test_all_paths_of_nas_bench_101_are_364() -> None:
    """The same paper: paths of none to five of three operations."""
    chain_of_all = {(n, n + 1) for n in range(6)}
    skips = {"0": {(4, 6), (3, 6), (2, 6)}, "1": {(1, 6), (0, 6)}, "2": set()}
    pairs = list(itertools.combinations(range(7), 2))
    cells = []
    for operations in map("".join, itertools.product("012", repeat=5)):
        kept = chain_of_all | skips[operations[-1]]
        cells.append(nasbench101.from_cell("".join("01"[pair in kept] for pair in pairs), operations))
    features = Features(nasbench101.space(cells=1), "paths")
    features.learn(cells)
    assert len(features.names) == sum(3**n for n in range(6)) == 364


def test_paths_that_were_not_learnt_have_no_column() -> None:
    features = Features(nasbench201.space(), "paths")
    assert features.of([nasbench201.from_string(CONV)]).shape == (1, 0)


def test_what_is_live_in_a_cell() -> None:
    cell = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_1x1~1|none~2|"
    found = row(Features(nasbench201.space(), "graph"), nasbench201.from_string(cell))
    assert {name: number for name, number in found.items() if "paths of" not in name} == {
        "cell.edge_0_1.op is nor_conv_3x3 on a live path": 1,
        "cell.edge_0_3.op is avg_pool_3x3 on a live path": 1,
        "cell.edge_1_3.op is nor_conv_1x1 on a live path": 1,  # and the skip from 1 to 2 leads nowhere
        "cell op nor_conv_3x3, number": 1,
        "cell op avg_pool_3x3, number": 1,
        "cell op nor_conv_1x1, number": 1,
        "cell op nor_conv_3x3, per path": 0.5,
        "cell op avg_pool_3x3, per path": 0.5,
        "cell op nor_conv_1x1, per path": 0.5,
    }
    assert found["paths of cell"] == pytest.approx(numpy.log(3))  # the logarithm of two, and one


def test_operations_and_paths_of_a_full_cell() -> None:
    found = row(Features(nasbench201.space()), nasbench201.from_string(CONV))
    assert found["cell op nor_conv_3x3, number"] == 6
    assert found["cell op nor_conv_3x3, per path"] == 2  # four paths, of one, two, two and three
    assert found["paths of cell"] == pytest.approx(numpy.log(5))


def test_cells_without_a_path_are_the_known_ones() -> None:
    """341 of NAS-Bench-201's 15,625 cells connect nothing; each of them scores as chance does."""
    space = nasbench201.space()
    features = Features(space, "graph")
    made = features.of(list(space.enumerate()))
    dead = made[:, : len(features.options)].sum(axis=1) == 0
    assert dead.sum() == 341
    assert (made[dead] == 0).all()


def test_sizes_count_where_their_layer_does() -> None:
    conv = op(ConvNorm, width=3, kernel=choose("kernel", 1, 3))
    space = Space("tried", (3, 8, 8), residual(chain(choose("op", keep=(1, 2), a=conv, b=op(MaxPool)), end())))
    features = Features(space, "graph")
    picks = {"op": ("a", "b"), "a.kernel": ("3",)}
    assert "a.kernel is 3 on a live path" in row(features, Architecture({**picks, "end": ("yes",)}))
    dead = row(features, Architecture({**picks, "end": ("no",)}))
    assert not any("kernel" in name for name in dead) and "op is b on a live path" not in dead


def end() -> object:
    return choose("end", yes=op(Identity), no=op(Zero))


@pytest.mark.parametrize("code", ["all", "one-hot", "graph"])
def test_many_are_coded_as_each_one_alone(code: Code) -> None:
    space = darts.space()
    features = Features(space, code)
    drawn = [space.sample(random.Random(seed)) for seed in range(5)]
    assert (features.of(drawn) == numpy.concatenate([features.of([one]) for one in drawn])).all()


def test_what_a_narrower_space_does_not_have_is_left_out() -> None:
    whole = nasbench201.space()
    narrow = whole.restrict({nasbench201.decision(0, 1): ("none", "nor_conv_3x3")})
    features = Features(narrow, "one-hot")
    made = features.of([whole.sample(random.Random(seed)) for seed in range(20)])
    assert made.shape == (20, 27) and set(made.sum(axis=1)) == {5.0, 6.0}
