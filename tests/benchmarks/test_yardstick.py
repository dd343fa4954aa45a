"""The plain loop runs the published sequence of operators."""

from dataclasses import replace

import pytest

from benchmarks.supernet_step import SETTINGS, Setting
from benchmarks.yardstick import ALIKE, by_operator, compare, differences
from benchmarks.yardstick_published import Published


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("strategy", ["darts", "pr-darts"])
def test_the_plain_loop_does_what_was_published(setting: str, strategy: str) -> None:
    sizes = SETTINGS[setting][strategy]
    works = compare(strategy, replace(sizes, channels=2, image=(sizes.image[0], 8, 8), batch=2))
    assert {one.what: one.share for one in differences(*works) if abs(one.share) > ALIKE} == {}
    assert works[0].flops == works[1].flops
    # the gates' softmax, once a cell or once a step
    assert max((abs(one.plain - one.published) for one in by_operator(*works)), default=0) < sizes.layers


def test_one_cell_by_hand() -> None:
    """One cell, which halves: what one can count on paper."""
    one = Published(channels=1, layers=1, image=1, side=2, batch=1).work()
    # stem, what comes before the cell, 14 edges of two separable and two dilated layers, 8 of which halve their skip
    assert one.forward["convolution"] == 1 + 2 + 14 * (4 + 4 + 2 + 2) + 8 * 2
    assert one.forward["max_pool2d_with_indices"] == one.backward["avg_pool2d_backward"] == 14
    assert one.forward["mul"] == 14 * (8 + 1)


def test_a_difference_of_a_tenth_is_seen() -> None:
    plain, published = compare("darts", Setting(2, 1, (1, 8, 8), 2))
    plain.backward["select_backward"] += published.backward.total() // 10
    assert [one.what for one in differences(plain, published) if one.share > ALIKE] == ["backward operators"]
    assert by_operator(plain, published)[0].what == "backward select_backward"
