"""What is gated, what stays open, and what scores settle on."""

import pytest
import torch

from nasengine.errors import SpaceError
from nasengine.interpreters.gated import Opened, below, gated, pooled, refuse_sizes, settle
from nasengine.interpreters.model import Model
from nasengine.interpreters.shape import trace
from nasengine.layers import Classifier, ConvNorm, Identity, MaxPool, SeparableConv
from nasengine.search_spaces import darts
from nasengine.space import Space, chain, choose, op


def cell_space() -> Space:
    return darts.space(input=(1, 8, 8), channels=4, layers=3)


def all_scores(space: Space, value: float = 0.0) -> dict[tuple[str, str], float]:
    return {(name, option): value for rows in gated(space) for name in rows.decisions for option in rows.options}


def nested() -> Space:
    """A choice of one or two of three blocks, of which one holds a choice of its own."""
    inner = chain(choose("op", skip=op(Identity), conv=op(SeparableConv, kernel=3)))
    blocks = choose("block", keep=(1, 2), plain=op(Identity), pool=op(MaxPool, kernel=3), rich=inner)
    return Space("nested", input=(4, 8, 8), network=chain(blocks, op(Classifier, classes=2)))


def test_equal_lists_of_options_are_one_stack_in_each_namespace():
    rows = gated(cell_space())
    assert [(r.namespace, len(r.decisions), len(r.options)) for r in rows] == [("normal", 14, 8), ("reduce", 14, 8)]
    assert rows[0].kinds[0] == ("zero", "pool", "pool", "skip", "conv", "conv", "conv", "conv")


def test_choices_between_edges_stay_open():
    space = cell_space()
    names = {name for rows in gated(space) for name in rows.decisions}
    assert not any(name.endswith("inputs") for name in names) and len(names) == 28


def test_a_choice_of_layers_and_of_further_choices_is_gated_with_what_lies_below():
    rows = {name for r in gated(nested()) for name in r.decisions}
    assert rows == {"block", "rich.op"}
    assert below(nested()) == {"block": {"rich": ["rich.op"]}}


def test_settling_takes_the_best_of_each_choice_and_only_what_is_asked():
    space = nested()
    scores = all_scores(space) | {("block", "pool"): 0.9, ("block", "plain"): 0.8, ("rich.op", "conv"): 1.0}
    assert settle(space, scores).picks == {"block": ("plain", "pool")}
    scores["block", "rich"] = 0.85
    assert settle(space, scores).picks == {"block": ("pool", "rich"), "rich.op": ("conv",)}


def test_an_edge_is_as_strong_as_its_best_legal_option():
    space = cell_space()
    scores = all_scores(space) | {
        ("normal.node2.in0.op", "none"): 9.0,  # competes, never counts
        ("normal.node2.node1.op", "skip_connect"): 2.0,
        ("normal.node2.node0.op", "dil_conv_5x5"): 1.0,
    }
    picks = settle(space, scores).picks
    assert picks["normal.node2.inputs"] == ("node0", "node1")
    assert picks["normal.node2.node1.op"] == ("skip_connect",)
    assert space.faults(picks) == []


def test_pooled_pairs_may_share_a_source():
    space = cell_space()
    scores = all_scores(space) | {("normal.node1.in0.op", o): 1.0 for o in ("sep_conv_3x3", "max_pool_3x3")}
    kept = pooled(space, scores)["normal.node1.inputs"]
    assert kept == [("normal.node1.in0.op", "max_pool_3x3"), ("normal.node1.in0.op", "sep_conv_3x3")]


def test_a_choice_below_no_edge_keeps_its_own_best():
    space = nested()
    scores = all_scores(space) | {("block", "pool"): 0.9, ("block", "rich"): 0.8, ("rich.op", "conv"): 1.0}
    assert pooled(space, scores) == {
        "block": [("block", "pool"), ("block", "rich")],
        "rich.op": [("rich.op", "conv")],
    }


def test_settling_meets_the_condition_of_a_space():
    def no_pool(architecture):
        """no pooling"""
        return "pool" not in architecture.picks["block"]

    made = nested()
    space = Space("nested", made.input, made.network, where=no_pool)
    scores = all_scores(space) | {("block", "pool"): 0.9, ("block", "rich"): 0.8, ("rich.op", "conv"): 1.0}
    assert no_pool(settle(space, scores))


def sized() -> Space:
    width = choose("width", 4, 8)
    layers = choose("op", skip=op(Identity), conv=op(SeparableConv, kernel=3), pool=op(MaxPool, kernel=3))
    return Space("sized", input=(1, 8, 8), network=chain(op(ConvNorm, width=width), layers, op(Classifier, classes=2)))


def test_sizes_are_refused_by_name_and_with_the_way_out():
    with pytest.raises(SpaceError, match=r"width \(one of 4, 8\).*space\.restrict\(\{'width': \['8'\]\}\)"):
        refuse_sizes(sized(), "pr-darts")
    refuse_sizes(sized().restrict({"width": ["4"]}), "pr-darts")


def test_a_space_without_any_choice_between_layers_is_refused():
    network = chain(op(ConvNorm, width=choose("width", 4)), op(Classifier, classes=2))
    with pytest.raises(SpaceError, match="nothing to gate"):
        refuse_sizes(Space("fixed", input=(1, 8, 8), network=network), "darts")


def test_an_opened_restricted_space_runs_at_the_size_and_with_the_options_allowed():
    space = sized().restrict({"width": ["4"], "op": ["skip", "conv"]})
    shapes, _ = trace(space, Opened(space))
    assert {place: inputs for place, (_, _, inputs) in shapes.layers.items()} == {
        "0": ((1, 8, 8),),
        "1.skip": ((4, 8, 8),),
        "1.conv": ((4, 8, 8),),
        "2": ((4, 8, 8),),
    }
    assert Model(space)(torch.randn(2, 1, 8, 8), Opened(space)).shape == (2, 2)
