"""Numbers and verdicts as a reader sees them."""

import pytest

from nasengine.bench.significance import Pair
from nasengine.bench.wording import decimals, number, percent, verdicts


@pytest.mark.parametrize(
    ("largest", "wanted"), [(91.607, 3), (0.916, 5), (1531546.0, 0), (0.0, 3), (1e-9, 6), (-91.6, 3)]
)
def test_five_digits_are_shown(largest: float, wanted: int) -> None:
    assert decimals([None, largest / 3 if largest > 100 else largest]) == wanted


def test_numbers_and_shares() -> None:
    assert number(None, 3) == "" and number(1234.5678, 1) == "1,234.6"
    assert percent(0.0001) == "0.01 %" and percent(0.05) == "5 %"


def test_verdicts_name_winners_and_what_stays_open() -> None:
    pairs = [Pair("a", "b", 0.5, 1e-5, 9), Pair("a", "c", 0.25, 0.03, 9), Pair("c", "b", 0.1, 0.4, 9)]
    assert verdicts(["a", "b", "c"], pairs) == [
        "a beats b (by 0.5, p < 0.001), c (by 0.25, p = 0.03).",
        "Not told apart by these seeds: c and b (p = 0.4).",
    ]
