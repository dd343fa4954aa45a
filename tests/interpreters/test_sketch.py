"""The sketch of a space: which ways are open, and how many paths lead through."""

import random

import numpy
from hypothesis import given
from hypothesis import strategies as st

from nasengine.interpreters.encoding import columns
from nasengine.interpreters.features import Features
from nasengine.interpreters.sketch import count_paths, hash_of, sketch
from nasengine.layers import ConvNorm, Identity, MaxPool, Zero
from nasengine.search_spaces import darts
from nasengine.space import Architecture, Node, Space, chain, choose, nothing, op, repeat, residual, run, shared
from tests.space.random_spaces import PROPERTY, spaces

RANDOMS = st.randoms(use_true_random=False)


def tried(node: Node) -> Space:
    return Space("tried", (3, 8, 8), node)


def conv() -> Node:
    return op(ConvNorm, width=3, kernel=3)


def paths_of(space: Space, *picks: dict[str, tuple[str, ...]]) -> dict[str, list[float]]:
    """By piece, for each architecture the number of live paths from its inputs to its output."""
    features = Features(space)
    to, _ = count_paths(features.sketch, features.picked([Architecture(one) for one in picks]))
    return {name: [] if end is None else to[end].tolist() for name, end in features.sketch.outputs.items()}


def test_paths_double_with_every_residual_round() -> None:
    space = tried(repeat(residual(conv()), choose("depth", 0, 1, 2, 3)))
    picks = [{"depth": (str(depth),)} for depth in range(4)]
    assert paths_of(space, *picks) == {"": [1.0, 2.0, 4.0, 8.0]}


def test_a_zero_and_nothing_both_end_a_path() -> None:
    space = tried(residual(choose("op", a=conv(), zero=op(Zero), none=nothing())))
    assert paths_of(space, {"op": ("a",)}, {"op": ("zero",)}, {"op": ("none",)}) == {"": [2.0, 1.0, 1.0]}


def test_a_piece_that_brings_nothing_is_no_path_where_it_stands() -> None:
    cell = shared("cell", choose("op", a=conv(), zero=op(Zero)))
    space = tried(chain(cell, residual(cell), cell))
    assert paths_of(space, {"cell.op": ("a",)}, {"cell.op": ("zero",)}) == {"": [2.0, 0.0], "cell": [1.0, 0.0]}


def test_options_kept_together_are_as_many_paths() -> None:
    space = tried(chain(choose("op", keep=(1, 3), a=conv(), b=op(MaxPool), c=op(Identity)), conv()))
    assert paths_of(space, {"op": ("a",)}, {"op": ("a", "c")}, {"op": ("a", "b", "c")}) == {"": [1.0, 2.0, 3.0]}


def test_paths_through_a_vertex_and_its_option() -> None:
    space = tried(chain(residual(choose("op", a=conv(), b=op(Identity))), residual(conv())))
    features = Features(space)
    _, through = count_paths(features.sketch, features.picked([Architecture({"op": ("a",)})]))
    marked = {mark: through[n, 0] for n, vertex in enumerate(features.sketch.vertices) for mark in vertex.marks}
    assert marked == {features.column["op", "a"]: 2.0, features.column["op", "b"]: 0.0}


def test_a_cell_of_darts_has_eight_edges_all_of_them_live() -> None:
    features = Features(darts.space())
    drawn = [features.space.sample(random.Random(seed)) for seed in range(50)]
    _, through = count_paths(features.sketch, features.picked(drawn))
    operations = numpy.zeros(50)
    for number, vertex in enumerate(features.sketch.vertices):
        picked = [features.options[mark] for mark in vertex.marks]
        if vertex.piece == "normal" and picked and picked[0][0].endswith(".op"):
            operations += through[number] > 0
    assert (operations == 8).all()


class _Paths:
    """The plain count: one walk for each architecture."""

    def op(self, place: str, layer: type, settings: object, inputs: tuple[float, ...]) -> float:
        return sum(inputs)

    def add(self, place: str, values: list[float]) -> float:
        return sum(values)

    concat = add

    def mix(self, name: str, choice: object, on: dict[str, tuple[object, float]]) -> float:
        return sum(value for _, value in on.values())


@PROPERTY
@given(spaces(), RANDOMS)
def test_where_nothing_is_shared_the_count_is_that_of_a_walk(space: Space, rng: random.Random) -> None:
    drawn = [space.sample(rng) for _ in range(5)]
    features = Features(space)
    if set(features.sketch.outputs) == {""}:
        walked = [run(space.network, (1.0,), one, _Paths()) or 0.0 for one in drawn]
        to, _ = count_paths(features.sketch, features.picked(drawn))
        output = features.sketch.outputs[""]
        assert walked == ([0.0] * 5 if output is None else to[output].tolist())


def test_hashes_are_the_same_in_every_process() -> None:
    assert hash_of("input") == 1452443887097238118  # BLAKE2b, 8 bytes, the lowest first


def test_a_sketch_builds_no_layers() -> None:
    space = tried(op(ConvNorm, width=-1, kernel=choose("kernel", 1, 3)))
    made = sketch(space, {name: number for number, name in enumerate(columns(space))})
    assert [vertex.kind for vertex in made.vertices] == ["input", "layer"]
    assert made.vertices[1].marks == (0, 1)
