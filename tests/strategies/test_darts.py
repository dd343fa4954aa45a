"""DARTS to the letter of its authors' code (Liu et al., 2019, https://arxiv.org/abs/1806.09055)."""

import pytest
import torch

from nasengine.errors import SpaceError
from nasengine.search_spaces import darts, metaformer
from nasengine.strategies.darts import Darts

SHORT = {name: short for short, name in darts.SHORT.items()}


def relaxation(**options) -> Darts:
    torch.manual_seed(0)
    return Darts(darts.space(input=(1, 8, 8), channels=4, layers=3, **darts.SUPERNET), **options)


def put(made: Darts, normal: torch.Tensor, reduce: torch.Tensor) -> None:
    """Our columns are in DARTS' order, rows by node and then by source."""
    assert [rows.namespace for rows in made.rows] == ["normal", "reduce"]
    assert made.rows[0].decisions[:3] == ("normal.node0.in0.op", "normal.node0.in1.op", "normal.node1.in0.op")
    assert made.rows[0].options[0] == "none" and made.rows[0].options[-1] == "dil_conv_5x5"
    for tensor, values in zip(made.weights, (normal, reduce), strict=True):
        tensor.data.copy_(values)


def cell(made: Darts, name: str) -> str:
    """The settled cell, per node the stronger source first."""
    picks, ranking, nodes = made.settle().picks, made.ranking(), []
    for n in range(4):
        pairs = [(f"{name}.node{n}.{source}.op", source) for source in picks[f"{name}.node{n}.inputs"]]
        pairs.sort(key=lambda pair: -ranking[pair[0], picks[pair[0]][0]])
        states = [int(source[-1]) + (0 if source.startswith("in") else 2) for _, source in pairs]
        nodes.append(" ".join(f"{SHORT[picks[d][0]]}@{s}" for (d, _), s in zip(pairs, states, strict=True)))
    return " | ".join(nodes)


def test_golden_cells():
    made, numbers = relaxation(), torch.arange(112, dtype=torch.float32).reshape(14, 8)
    put(made, numbers.sin(), numbers.cos())
    assert cell(made, "normal") == "ap@0 d3@1 | sk@1 s3@0 | s3@1 ap@2 | sk@1 s3@4"
    assert cell(made, "reduce") == "s5@1 d3@0 | sk@0 mp@1 | s3@0 ap@1 | sk@4 sk@0"


def test_among_equals_the_lower_source_and_the_first_operation_win():
    made = relaxation()
    put(made, torch.zeros(14, 8), torch.zeros(14, 8))
    picks = made.settle().picks
    for n in range(4):
        assert picks[f"normal.node{n}.inputs"] == ("in0", "in1")
        assert picks[f"normal.node{n}.in1.op"] == ("max_pool_3x3",)


def test_none_competes_but_is_never_chosen():
    made, strong = relaxation(), torch.zeros(14, 8)
    strong[:, 0] = 5.0
    put(made, strong, strong)
    assert made.gates()["normal.node0.in0.op"]["none"] > 0.9
    assert all("none" not in kept for kept in made.settle().picks.values())
    assert all(option != "none" for _, option in made.ranking())
    # softmax over all eight: what is left for the others shrinks as none grows
    assert made.ranking()["normal.node0.in0.op", "skip_connect"] < 0.02


def test_published_starting_values_are_near_zero():
    made = relaxation()
    values = torch.cat([tensor.detach().flatten() for tensor in made.parameters()])
    assert values.numel() == 224 and 5e-4 < float(values.std()) < 2e-3


def test_every_option_of_every_edge_is_mixed_with_weights_that_sum_to_one():
    made = relaxation()
    mixture = made.draws(torch.Generator())[0]
    for name, gates in mixture.by_decision.items():
        assert tuple(gates) == made.space.decisions[name].relaxed
        assert float(sum(gates.values()).detach()) == pytest.approx(1.0)


def test_sizes_are_refused():
    with pytest.raises(SpaceError, match=r"strategy darts: .*stage1\.width"):
        Darts(metaformer.space(input=(1, 8, 8)))
