import random
from itertools import product

import pytest
import torch

from nasengine.errors import SpaceError
from nasengine.interpreters.cost import cost
from nasengine.interpreters.digest import digest
from nasengine.interpreters.model import Model
from nasengine.search_spaces import nasbench_macro

NETWORKS = ["".join(digits) for digits in product("012", repeat=8)]
STAGES = ((1, 2), (3, 5), (6, 8))  # the first layer, and the last


def canonical(text: str) -> str:
    """Identities moved to the end of their stage; the first layer of a stage is never one."""
    stages = [text[first - 1 : last] for first, last in STAGES]
    return "".join(stage[0] + stage[1:].replace("0", "") + "0" * stage[1:].count("0") for stage in stages)


def test_there_are_6561_networks_and_eight_decisions():
    space = nasbench_macro.space()
    assert space.count() == 6_561
    assert list(space.decisions) == [nasbench_macro.decision(layer) for layer in range(1, 9)]
    assert [nasbench_macro.to_string(network) for network in space.enumerate()] == NETWORKS
    assert space.decisions["layer1.block"].kinds["identity"] == "conv"
    assert space.decisions["layer2.block"].kinds["identity"] == "skip"


def test_3969_networks_differ():
    """Digests tell apart exactly the networks that differ in more than where a stage's identities stand."""
    space = nasbench_macro.space(channels=2, features=4)
    found = {text: digest(space, nasbench_macro.from_string(text)) for text in NETWORKS}
    assert len(set(found.values())) == 3_969
    by_rule: dict[str, set[str]] = {}
    for text, one in found.items():
        by_rule.setdefault(canonical(text), set()).add(one)
    assert all(len(digests) == 1 for digests in by_rule.values())
    assert len(by_rule) == 3_969


@pytest.mark.parametrize(
    ("text", "params", "macs"),
    [
        ("00000000", 387_882, 7_713_280),
        ("11111111", 1_588_874, 53_246_464),
        ("22222222", 2_932_586, 105_660_928),
        ("00100000", 419_050, 12_018_176),
    ],
)
def test_published_parameters_and_multiply_adds(text, params, macs):
    """NAS-Bench-Macro (https://arxiv.org/abs/2103.11922), its published table."""
    found = cost(nasbench_macro.space(), nasbench_macro.from_string(text))
    assert (found.params, found.macs) == (params, macs)


def test_parameters_and_multiply_adds_equal_every_row_of_the_published_table(needs):
    import pandas

    table = pandas.read_parquet(needs("tables") / "nasbench_macro" / "nasbench_macro.parquet")
    assert sorted(table["arch"]) == NETWORKS
    space = nasbench_macro.space()
    for text, params, flops in zip(table["arch"], table["params"], table["flops"], strict=True):
        found = cost(space, nasbench_macro.from_string(text))
        assert (found.params, found.macs) == (params, flops), text


def test_published_spelling():
    network = nasbench_macro.from_string("22212202")
    assert network.picks["layer4.block"] == ("mb3_k3",)
    assert network.picks["layer7.block"] == ("identity",)
    assert nasbench_macro.space().check(network.picks) == network


@pytest.mark.parametrize("text", ["", "0000000", "000000000", "00000003", "0000000x"])
def test_wrong_spellings_are_refused(text):
    with pytest.raises(SpaceError, match="eight digits"):
        nasbench_macro.from_string(text)


def test_impossible_sizes_are_refused():
    with pytest.raises(SpaceError, match="channels=0"):
        nasbench_macro.space(channels=0)


@pytest.mark.parametrize("input", [(1, 8, 8), (3, 5, 7), (3, 1, 1)])
def test_small_images_run(input):
    space = nasbench_macro.space(input=input, classes=4, channels=4, features=8)
    for network in (space.sample(random.Random(0)), nasbench_macro.from_string("00000000")):
        assert Model(space, network)(torch.randn(2, *input)).shape == (2, 4)
