"""The largest and the smallest network of a space."""

import pytest

from nasengine.interpreters.cost import cost
from nasengine.interpreters.ends import largest, smallest
from nasengine.layers import Classifier, ConvNorm, Identity
from nasengine.plugins import load_space
from nasengine.space import Space, chain, choose, op, repeat


def space(where=None) -> Space:
    """Sizes that are not in order, layers that are not either, and a depth that asks for more."""
    block = choose("op", conv=op(ConvNorm, width=4, kernel=choose("kernel", 3, 1, 5)), skip=op(Identity))
    network = chain(
        op(ConvNorm, width=choose("width", 4, 8, 2)), op(ConvNorm, width=4), repeat(block, choose("depth", 2, 1, 3)),
        op(Classifier, classes=3),
    )  # fmt: skip
    return Space("unordered", (1, 6, 6), network, where=where)


@pytest.mark.parametrize("made", [space(), load_space("nasbench-macro").small(), load_space("metaformer").small(60)])
def test_no_network_costs_more_or_less(made):
    costs = [(found.macs, found.params) for found in (cost(made, one) for one in made.enumerate())]
    for find, extreme in ((largest, max), (smallest, min)):
        found = cost(made, find(made))
        assert (found.macs, found.params) == extreme(costs)
        assert find(made) == find(made) and made.faults(find(made).picks) == []


def test_a_condition_is_not_asked():
    small = largest(space(where=lambda one: one.picks["width"] == ("2",)))
    assert small == largest(space()) and small.picks["width"] == ("8",)


def test_a_restricted_space_keeps_to_its_options():
    assert largest(space().restrict({"width": ("4", "2"), "depth": ("1",)})).picks["width"] == ("4",)


def test_the_ends_of_published_spaces():
    """MobileNetV3 as in once-for-all (Cai et al., 2020, https://arxiv.org/abs/1908.09791): all sevens, sixes, fours."""
    mobile = load_space("mobile")
    full = largest(mobile).picks
    assert {kept for name, kept in full.items() if name.endswith("kernel")} == {("7",)}
    assert {kept for name, kept in full.items() if name.endswith("expand")} == {("6",)}
    least = smallest(mobile).picks
    assert {kept for name, kept in least.items() if name.endswith("kernel")} == {("3",)}
    assert {kept for name, kept in least.items() if name.endswith("depth")} == {("2",)}
