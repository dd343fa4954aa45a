"""Path-regularised search to the letter of its paper and of its authors' code (Zhou et al., NeurIPS 2020,
https://arxiv.org/abs/2006.16537): regularisers and rankings against numbers of the published programs."""

import math

import pytest
import torch
from torch import Tensor

from nasengine.search_spaces import darts
from nasengine.strategies.pr_darts import PRDarts, chance

# the order of the authors' columns; ours follow DARTS
COLUMNS = ("none", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5", "avg_pool_3x3",
           "max_pool_3x3")  # fmt: skip
SHORT = {name: short for short, name in darts.SHORT.items()}
CHAIN = (1, 4, 8, 13)  # the rows of 0<-1, 1<-2, 2<-3 and 3<-4


def cell_space():
    return darts.space(input=(1, 8, 8), channels=4, layers=3, **darts.SUPERNET)


def relaxation(variant: str = "code") -> PRDarts:
    torch.manual_seed(0)
    return PRDarts(cell_space(), variant=variant)


def put(tensors: list[Tensor], made: PRDarts, normal: Tensor, reduce: Tensor) -> None:
    """Fill both cells' tensors from (14, 8) tensors in the authors' order of columns."""
    assert [rows.namespace for rows in made.rows] == ["normal", "reduce"]
    for tensor, rows, values in zip(tensors, made.rows, (normal, reduce), strict=True):
        tensor.data.copy_(values[:, [COLUMNS.index(option) for option in rows.options]])


def written(pairs: list[tuple[str, str]]) -> str:
    """`s3@0 ap@1`: operation @ state."""
    words = []
    for decision, option in pairs:
        source = decision.split(".")[2]
        state = int(source[-1]) + (0 if source.startswith("in") else 2)
        words.append(f"{SHORT[option]}@{state}")
    return " ".join(words)


def cells(made: PRDarts) -> dict[str, str]:
    kept = made.published()
    return {
        cell: " | ".join(written(kept[f"{cell}.node{n}.inputs"]) for n in range(4)) for cell in ("normal", "reduce")
    }


def waves(made: PRDarts) -> None:
    """The parameters of the golden cells: sin(8e + o) and cos(8e + o)."""
    numbers = torch.arange(112, dtype=torch.float32).reshape(14, 8)
    put(made.log_odds, made, numbers.sin(), numbers.cos())


@pytest.mark.parametrize(
    ("temperature", "log_odds", "penalty"),
    [
        (10.0, 0.0, 0.011), (1.0, 0.0, 0.0108030), (1.0, 0.5, 0.0109209), (0.5, 0.0, 0.0096242),
        (0.5, 0.5, 0.0103540), (0.1, 0.0, 0.0067027), (0.1, 0.5, 0.0084890),
    ],
)  # fmt: skip
def test_the_codes_penalty_when_everything_was_drawn(temperature, log_odds, penalty):
    made = relaxation()
    made.temperature = temperature
    for tensor in made.log_odds:
        tensor.data.fill_(log_odds)
    assert float(made.penalty().detach()) == pytest.approx(penalty, abs=1e-7)


@pytest.mark.parametrize(
    ("columns", "penalty"), [([1], 0.0071667), ([0], 0.0035833), ([6, 7], 0.0035833), ([2], 0.0000530)]
)
def test_the_codes_penalty_of_single_groups(columns, penalty):
    made, mask = relaxation(), torch.zeros(14, 8)
    mask[:, columns] = 1
    put(made.drawn, made, mask, mask)
    for tensor in made.log_odds:
        tensor.data.zero_()
    assert float(made.penalty().detach()) == pytest.approx(penalty, abs=1e-7)


def test_edges_without_a_drawn_convolution_drop_out_of_the_codes_path():
    made, mask = relaxation(), torch.zeros(14, 8)
    mask[1, 2], mask[0, 1] = 1, 1
    put(made.drawn, made, mask, mask)
    for tensor in made.log_odds:
        tensor.data.zero_()
    assert float(made.penalty().detach()) == pytest.approx(0.0061667, abs=1e-7)


def asymmetric() -> PRDarts:
    made, rows = relaxation(), torch.arange(14)
    normal = torch.linspace(-1, 1, 112).reshape(14, 8)
    masks = torch.zeros(2, 14, 8)
    for mask, steps in zip(masks, ((0, 3), (1, 6)), strict=True):
        for step in steps:
            mask[rows, (rows + step) % 8] = 1
    put(made.log_odds, made, normal, -normal)
    put(made.drawn, made, *masks)
    return made


@pytest.mark.parametrize(("temperature", "penalty"), [(10.0, 0.0110000), (1.0, 0.0106320), (0.1, 0.0065272)])
def test_the_codes_penalty_of_an_uneven_draw(temperature, penalty):
    made = asymmetric()
    made.temperature = temperature
    assert float(made.penalty().detach()) == pytest.approx(penalty, abs=1e-7)


def test_the_codes_rule_on_rising_and_falling_parameters():
    kept = asymmetric().published()
    for n, sources in enumerate(("1 0", "1 2", "1 2", "0 1")):
        assert {option for _, option in kept[f"normal.node{n}.inputs"]} == {"max_pool_3x3"}
        assert {option for _, option in kept[f"reduce.node{n}.inputs"]} == {"skip_connect"}
        found = {word.split("@")[1] for word in written(kept[f"normal.node{n}.inputs"]).split()}
        assert found == set(sources.split())


def test_the_papers_penalty_is_means_of_all_options_and_a_product_of_sums():
    made = relaxation("paper")
    made.temperature = 1.0
    for tensor in made.log_odds:
        tensor.data.zero_()
    open_ = 11 / 12
    assert (4 * open_) ** 4 == pytest.approx(180.8, abs=0.05)
    wanted = 0.01 * open_ + 0.005 * open_ - 0.005 * (4 * open_) ** 4
    assert float(made.penalty().detach()) == pytest.approx(wanted, rel=1e-5)


def test_golden_cells_of_the_codes_rule_take_two_operations_from_one_source():
    made = relaxation()
    waves(made)
    assert cells(made) == {
        "normal": "s3@0 ap@1 | s5@1 d3@0 | d3@1 s3@2 | s5@1 d3@4",
        "reduce": "d5@1 d3@1 | s5@0 sk@1 | d3@0 s3@1 | s5@4 s5@0",
    }


@pytest.mark.parametrize("temperature", [10.0, 1.0, 0.1])
def test_golden_cells_of_the_papers_rule_do_not_depend_on_the_temperature(temperature):
    made = relaxation("paper")
    waves(made)
    made.temperature = temperature
    assert cells(made) == {
        "normal": "ap@1 s3@0 | sk@2 mp@2 | s3@2 d3@1 | d5@0 ap@3",
        "reduce": "ap@0 d5@1 | sk@1 s5@0 | d3@0 d5@3 | s5@4 ap@2",
    }


def test_settling_stays_legal_and_says_where_the_published_rule_does_not():
    made = relaxation()
    waves(made)
    settled = made.settle()
    assert made.space.faults(settled.picks) == []
    assert made.outside == ("reduce.node0.inputs",)
    # source 1 keeps its best, d5; the other source comes in with its own
    assert settled.picks["reduce.node0.inputs"] == ("in0", "in1")
    assert settled.picks["reduce.node0.in1.op"] == ("dil_conv_5x5",)
    assert settled.picks["normal.node3.inputs"] == ("in1", "node2")


def test_the_ranking_is_sorted_and_holds_every_legal_option():
    made = relaxation()
    waves(made)
    ranking = made.ranking()
    assert list(ranking.values()) == sorted(ranking.values(), reverse=True)
    assert len(ranking) == 2 * 14 * 7 and all(option != "none" for _, option in ranking)


def test_published_starting_values_and_temperatures():
    code, paper = relaxation("code"), relaxation("paper")
    assert all(float(tensor.detach().abs().max()) < 0.01 for tensor in code.log_odds)
    assert all(bool((tensor == 0.5).all()) for tensor in paper.log_odds)
    for made, first, last in ((code, 1.0, 0.1), (paper, 10.0, 0.1)):
        made.at(0.0)
        assert made.temperature == first
        made.at(1.0)
        assert made.temperature == pytest.approx(last)
        made.at(0.5)
        assert made.temperature == pytest.approx((first + last) / 2)


def test_the_penalty_has_a_gradient_at_the_start_of_the_default_schedule():
    made = PRDarts(cell_space())
    made.at(0.0)
    made.draws(torch.Generator().manual_seed(0))
    slopes = torch.autograd.grad(made.penalty(), made.parameters())
    assert all(float(slope.abs().max()) > 1e-6 for slope in slopes)


def test_the_papers_first_temperature_leaves_its_penalty_without_a_gradient():
    """Why the paper's printed schedule is not the default: at 10 every gate is open for certain."""
    made = relaxation("paper")
    made.at(0.0)
    slopes = torch.autograd.grad(made.penalty(), made.parameters())
    assert all(float(slope.abs().max()) < 1e-6 for slope in slopes)


def test_published_weights_of_the_regularisers_are_the_defaults():
    assert relaxation().lambdas == (0.01, 0.005, 0.005)
    assert math.isclose(float(chance(torch.tensor(0.0, dtype=torch.float64), 1.0)), 11 / 12)
