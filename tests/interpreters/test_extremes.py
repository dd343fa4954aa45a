"""The ends of a space: hill climbing finds them where all of it can be looked at."""

import random

import pytest

from nasengine import plugins
from nasengine.interpreters.cost import cost
from nasengine.interpreters.extremes import extremes
from nasengine.layers import Classifier, ConvNorm, Identity
from nasengine.space import Space, chain, choose, op


@pytest.mark.parametrize("seed", range(3))
def test_it_finds_the_ends_of_a_space_that_can_be_enumerated(seed: int) -> None:
    space = plugins.load_space("metaformer", {"input": (1, 16, 16)}).small(60)
    all_of_it = [cost(space, one) for one in space.enumerate()]
    smallest, largest = extremes(space, random.Random(seed))
    assert smallest.params == min(one.params for one in all_of_it)
    assert largest.params == max(one.params for one in all_of_it)
    assert smallest.macs == min(one.macs for one in all_of_it)
    assert largest.macs == max(one.macs for one in all_of_it)


def test_fewest_parameters_and_fewest_multiplications_may_be_two_networks() -> None:
    wide = chain(op(ConvNorm, width=32, kernel=1, stride=4), op(ConvNorm, width=4, kernel=1))
    block = choose("block", small=op(ConvNorm, width=4, kernel=3), wide=wide)
    early = chain(block, op(ConvNorm, width=4, kernel=1, stride=1))
    space = Space("two", input=(4, 8, 8), network=chain(early, head=op(Classifier, classes=2)))
    few = {one.picks["block"][0]: cost(space, one) for one in space.enumerate()}
    assert few["small"].params < few["wide"].params and few["small"].macs > few["wide"].macs
    smallest, largest = extremes(space, random.Random(0))
    assert (smallest.params, smallest.macs) == (few["small"].params, few["wide"].macs)
    assert (largest.params, largest.macs) == (few["wide"].params, few["small"].macs)


def test_a_condition_of_the_space_holds_and_recipes_do_not_matter() -> None:
    body = choose("body", none=op(Identity), conv=op(ConvNorm, width=4, kernel=3))
    space = Space(
        "conv", input=(4, 8, 8), network=chain(body, head=op(Classifier, classes=2)),
        recipe={"lr": choose("lr", 0.1, 0.2)}, where=lambda one: one.picks["body"] == ("conv",),
    )  # fmt: skip
    smallest, largest = extremes(space, random.Random(0))
    assert smallest == largest == cost(space, space.first(1)[0])


def test_equal_random_numbers_give_equal_ends() -> None:
    space = plugins.load_space("darts", {"input": (1, 8, 8), "channels": 4, "layers": 3})
    assert extremes(space, random.Random(5)) == extremes(space, random.Random(5))
