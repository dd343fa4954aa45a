"""From sums of layers to whole networks."""

from random import Random

import pytest

from nasengine.hardware.correction import Correction, draw, fit
from nasengine.layers import Classifier, Zero
from nasengine.space import Space, chain, choose, op
from tests.hardware.places import tiny


def test_overhead_and_factor_are_found() -> None:
    sums = [1.0, 2.0, 4.0, 8.0]
    found = fit(sums, [0.5 + 1.25 * one for one in sums])
    assert (found.overhead, found.factor) == pytest.approx((0.5, 1.25))
    assert found.of(10.0) == pytest.approx(13.0)


def test_neither_is_below_zero() -> None:
    falling = fit([1.0, 2.0, 3.0], [6.0, 5.0, 4.0])
    assert falling == Correction(0.0, 2.5, 3)
    steep = fit([2.0, 4.0], [1.0, 3.0])
    assert steep.overhead == 0.0 and steep.factor > 0


def test_equal_networks_are_enough() -> None:
    assert fit([2.0, 2.0], [3.0, 3.0]).of(2.0) == pytest.approx(3.0)


def test_random_networks_are_different_and_the_same_every_time() -> None:
    space = tiny()
    drawn = draw(space, 8, Random(0))
    assert drawn == draw(tiny(), 8, Random(0)) and len(set(drawn)) == 8
    assert not set(draw(space, 8, Random(0), without=drawn)) & set(drawn)


def test_a_small_space_gives_what_it_has() -> None:
    space = Space("two", input=(1, 4, 4), network=chain(choose("a", zero=op(Zero)), op(Classifier, classes=2)))
    assert len(draw(space, 8, Random(0))) == 1
