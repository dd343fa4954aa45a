"""The plain loop runs the published sequence of operators."""

import pytest

from benchmarks.yardstick import ALIKE, STRATEGIES, by_operator, compare, differences
from benchmarks.yardstick_published import Published


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_plain_loop_does_what_was_published(strategy: str) -> None:
    works = compare(strategy, (2, 3, 1, 8, 2))
    assert {one.what: one.share for one in differences(*works) if abs(one.share) > ALIKE} == {}
    assert works[0].flops == works[1].flops
    assert max((abs(one.plain - one.published) for one in by_operator(*works)), default=0) <= 4


def test_one_cell_by_hand() -> None:
    """One cell, which halves: what one can count on paper."""
    one = Published(channels=1, layers=1, image=1, side=2, batch=1).work()
    # stem, what comes before the cell, 14 edges of two separable and two dilated layers, 8 of which halve their skip
    assert one.forward["convolution"] == 1 + 2 + 14 * (4 + 4 + 2 + 2) + 8 * 2
    assert one.forward["max_pool2d_with_indices"] == one.backward["avg_pool2d_backward"] == 14
    assert one.forward["mul"] == 14 * (8 + 1)


def test_a_difference_of_a_tenth_is_seen() -> None:
    plain, published = compare("darts", (2, 1, 1, 8, 2))
    plain.backward["select_backward"] += published.backward.total() // 10
    assert [one.what for one in differences(plain, published) if one.share > ALIKE] == ["backward operators"]
    assert by_operator(plain, published)[0].what == "backward select_backward"
