"""The rank test of Mann and Whitney, and what so many seeds can show at all."""

import pytest

from nasengine.compare.ranks import enough, pairs, reach


def test_groups_that_overlap_are_not_told_apart() -> None:
    (pair,) = pairs({"a": [1.0, 2.0, 3.0, 4.0], "b": [1.5, 2.5, 3.5, 0.5]})
    assert pair.better == "a" and not pair.significant and pair.difference == pytest.approx(0.5)
    (tied,) = pairs({"a": [1.0, 1.0, 1.0], "b": [1.0, 1.0, 1.0]})
    assert (tied.p, tied.difference) == (1.0, 0.0)


def test_groups_of_two_are_left_out_and_many_pairs_are_corrected() -> None:
    assert pairs({"a": [1.0, 2.0], "b": [3.0, 4.0, 5.0]}) == []
    three = pairs({"a": [1.0, 2, 3, 4], "b": [5.0, 6, 7, 8], "c": [9.0, 10, 11, 12]})
    assert [pair.p for pair in three] == pytest.approx([3 * 2 / 70] * 3)


def test_what_seeds_can_show() -> None:
    assert (reach(3), reach(4)) == (pytest.approx(0.1), pytest.approx(2 / 70))
    assert (enough(1), enough(3)) == (4, 5)
