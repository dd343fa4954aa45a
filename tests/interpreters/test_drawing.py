"""Drawings in a terminal: the lines to the letter."""

import random
import re

from hypothesis import given
from hypothesis import strategies as st

from nasengine.interpreters.drawing import text
from nasengine.layers import Classifier, ConvNorm, DropPath, Identity, MaxPool
from nasengine.search_spaces import darts, nasbench201
from nasengine.space import (
    Architecture,
    Node,
    Space,
    aside,
    chain,
    choose,
    concat,
    network,
    op,
    reads,
    repeat,
    residual,
    shared,
)
from tests.space.random_spaces import PROPERTY, spaces

PRDARTS = """\
darts
  stem     = ConvNorm[width=48, kernel=3](input)
  cells.0  = normal(stem, stem)
  cells.1  = reduce(stem, cells.0)
  cells    = reduce(cells.0, cells.1)
  output   = Classifier[classes=10](cells)
normal, 1x: cells.0
  in0    = ReLUConvNorm[width=16](input0)
  in1    = ReLUConvNorm[width=16](input1)
  node0  = skip_connect(in0) + sep_conv_3x3(in1)
  node1  = sep_conv_3x3(in0) + dil_conv_3x3(node0)
  node2  = sep_conv_3x3(in1) + dil_conv_3x3(node1)
  node3  = dil_conv_3x3(in1) + dil_conv_3x3(node2)
  output = concat(node0, node1, node2, node3)
reduce, 2x: cells.1, cells.2
  in0    = ReLUConvNorm[width=32](input0)
  in1    = ReLUConvNorm[width=32](input1)
  node0  = avg_pool_3x3(in0) + dil_conv_5x5(in1)
  node1  = sep_conv_3x3(in0) + dil_conv_5x5(node0)
  node2  = sep_conv_5x5(in1) + dil_conv_3x3(node1)
  node3  = dil_conv_5x5(in1) + dil_conv_5x5(node2)
  output = concat(node0, node1, node2, node3)""".replace("cells.0  =", "cells.0 =").replace("cells.1  =", "cells.1 =")


def draw(node: Node, **picks: str) -> list[str]:
    """The lines below the title, spaces squeezed; picks as name=option,option with __ for dots."""
    made = {name.replace("__", "."): tuple(kept.split(",")) if kept else () for name, kept in picks.items()}
    lines = text(Space("drawn", (3, 8, 8), node), Architecture(made)).splitlines()
    assert lines[0] == "drawn"
    return [" ".join(line.split()) for line in lines[1:]]


def test_cells_are_drawn_as_papers_write_them() -> None:
    picks = darts.ARCHITECTURES["PRDARTS"].picks
    drawn = text(darts.space(layers=3), Architecture(picks))
    squeezed = [" ".join(line.split()) for line in drawn.splitlines()]
    assert squeezed == [" ".join(line.split()) for line in PRDARTS.splitlines()]
    columns = {line.index("=", line.index(" = ")) for line in drawn.splitlines()[1:6]}
    assert len(columns) == 1


def test_a_published_cell_of_nas_bench_201() -> None:
    spelled = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_1x1~1|nor_conv_3x3~2|"
    drawn = text(nasbench201.space(cells=5), nasbench201.from_string(spelled)).splitlines()
    title = drawn.index("cell, 15x: stage1.0, stage1.1, stage1.2, stage1.3, …")
    assert [" ".join(line.split()) for line in drawn[title + 1 :]] == [
        "edge_0_1 = nor_conv_3x3(input)",
        "edge_0_2 = none(input)",
        "edge_1_2 = skip_connect(edge_0_1)",
        "node2 = edge_0_2 + edge_1_2",
        "edge_0_3 = avg_pool_3x3(input)",
        "edge_1_3 = nor_conv_1x1(edge_0_1)",
        "edge_2_3 = nor_conv_3x3(node2)",
        "output = edge_0_3 + edge_1_3 + edge_2_3",
    ]


def conv(kernel: object = 3) -> Node:
    return op(ConvNorm, width=8, kernel=kernel)


def test_picked_sizes_are_told_even_where_they_are_defaults() -> None:
    size = choose("kernel", 1, 3)
    assert draw(conv(size), kernel="1") == ["output = ConvNorm[width=8, kernel=1](input)"]
    mixer = choose("mixer", conv=conv(size), pool=op(MaxPool, kernel=3))
    assert draw(mixer, mixer="conv", conv__kernel="3") == ["output = conv[kernel=3](input)"]
    assert draw(mixer, mixer="pool") == ["output = pool(input)"]


def test_what_is_read_twice_has_a_name_and_lines_stay_flat_otherwise() -> None:
    assert draw(chain(conv(), op(MaxPool), residual(op(MaxPool), conv(5)))) == [
        "0 = ConvNorm[width=8, kernel=3](input)",
        "1 = MaxPool(0)",
        "output = 1 + ConvNorm[width=8, kernel=5](MaxPool(1))",
    ]
    assert draw(chain(stage=chain(conv(), conv(5), conv(7)), head=op(MaxPool))) == [
        "stage = ConvNorm[width=8, kernel=7](ConvNorm[width=8, kernel=5](ConvNorm[width=8, kernel=3](input)))",
        "output = MaxPool(stage)",
    ]


def test_options_that_are_chains_are_one_and_those_with_choices_are_not() -> None:
    pooled = choose("op", pool=chain(op(MaxPool), conv(), op(DropPath)), skip=op(Identity))
    assert draw(pooled, op="pool") == ["output = pool(input)"]
    nested = choose("outer", a=chain(op(MaxPool), choose("op", x=conv(), y=op(Identity))), b=conv())
    assert draw(nested, outer="a", a__op="x") == ["output = x(MaxPool(input))"]
    both = choose("both", keep=2, a=conv(), b=chain(op(MaxPool), conv()), c=op(Identity))
    assert draw(chain(node=both), node__both="a,b") == ["output = a(input) + b(input)"]


def test_joins_absent_branches_and_nothing() -> None:
    maybe = choose("m", keep=(0, 1), a=conv())
    states = network(m=maybe, n=reads("input", op(MaxPool)), out=reads("n", "m", "input", concat()))
    assert draw(states, m__m="a")[-1] == "output = concat(n, m, input)"
    assert draw(states, m__m="")[-1] == "output = concat(n, input)"
    assert draw(maybe, m="") == ["output = nothing"]
    assert draw(residual(maybe), m="") == ["output = input"]


def test_what_is_for_training_alone_is_not_drawn() -> None:
    assert draw(chain(conv(), op(DropPath), aside("help", op(Classifier, classes=2)), op(MaxPool))) == [
        "0 = ConvNorm[width=8, kernel=3](input)",
        "output = MaxPool(0)",
    ]


def test_shared_pieces_within_shared_pieces() -> None:
    inner = shared("inner", choose("op", a=conv(), b=op(MaxPool)))
    outer = shared("outer", residual(inner))
    assert draw(repeat(outer, 2), inner__op="b") == [
        "0 = outer(input)", "output = outer(0)",
        "outer, 2x: 0, 1", "body = inner(input)", "output = input + body",
        "inner, 1x: 0.body.0", "output = b(input)",
    ]  # fmt: skip


@PROPERTY
@given(spaces(), st.randoms(use_true_random=False))
def test_every_network_can_be_drawn(space: Space, rng: random.Random) -> None:
    architecture = space.sample(rng)
    lines = text(space, architecture).splitlines()
    assert lines[0] == "random"
    known = {"input", *(f"input{i}" for i in range(10))}
    for line in lines[1:]:
        if not line.startswith("  "):
            known = {"input", *(f"input{i}" for i in range(10))}  # the next figure
            continue
        name, _, made = line.strip().partition(" = ")
        states = re.findall(r"(?<![\w.\[=])[\w.]+(?![\w.\[=(])", re.sub(r"\[[^]]*\]", "", made))
        assert set(states) <= known | {"nothing"}, line
        assert name.strip() not in known
        known.add(name.strip())
