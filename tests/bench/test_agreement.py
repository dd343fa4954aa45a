"""Two rankings: known coefficients, ties, and intervals that hold what they should."""

import math

import numpy as np
import pytest
from scipy.stats import kendalltau, spearmanr

from nasengine.bench.agreement import agreement, rho, tau_b


def test_small_rankings_have_the_coefficients_one_counts_by_hand() -> None:
    straight = [1, 2, 3, 4]
    assert tau_b(straight, straight) == rho(straight, straight) == 1
    assert tau_b(straight, straight[::-1]) == rho(straight, straight[::-1]) == -1
    assert tau_b(straight, [1, 2, 4, 3]) == pytest.approx(4 / 6)  # one pair of six is in the opposite order
    assert rho(straight, [1, 2, 4, 3]) == pytest.approx(1 - 6 * 2 / (4 * 15))
    assert tau_b(straight, [1, 1, 2, 2]) == pytest.approx(4 / math.sqrt(6 * 4))  # four pairs are tied in neither
    assert math.isnan(tau_b(straight, [5, 5, 5, 5])) and math.isnan(rho(straight, [5, 5, 5, 5]))


def test_they_are_those_of_scipy_with_many_ties() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b = rng.integers(0, 6, (2, 25)).astype(float)
        assert tau_b(a, b) == pytest.approx(kendalltau(a, b).statistic)
        assert rho(a, b) == pytest.approx(spearmanr(a, b).statistic)


def test_the_interval_is_narrow_where_all_is_clear_and_wide_where_nothing_is() -> None:
    rng = np.random.default_rng(1)
    clear = np.arange(30.0)
    assert agreement(clear, clear)[:4] == (1, 1, 1, 1)
    noise = agreement(clear, rng.normal(size=30))
    assert noise.low < 0 < noise.high and noise.low < noise.tau < noise.high
    assert agreement(clear, rng.normal(size=30), seed=1).samples == 30
    some = clear + 8 * rng.normal(size=30)
    assert agreement(clear, some) == agreement(clear, some)  # by its seed alone
    many = np.tile(clear, 4) + 8 * rng.normal(size=120)
    assert agreement(np.tile(clear, 4), many).high - agreement(np.tile(clear, 4), many).low < 0.6 * (
        agreement(clear, some).high - agreement(clear, some).low
    )


def test_an_interval_of_samples_mostly_holds_the_value_of_all() -> None:
    """95 % intervals of 20 things each; the bootstrap is known to be a little narrow for so few."""
    rng = np.random.default_rng(2)
    a = rng.normal(size=1500)
    b = a + rng.normal(size=1500)
    whole, held = tau_b(a, b), 0
    for _ in range(60):
        some = rng.choice(1500, 20, replace=False)
        found = agreement(a[some], b[some])
        held += found.low <= whole <= found.high
    assert 51 <= held <= 60


def test_what_has_no_value_is_left_out_and_two_are_too_few() -> None:
    assert agreement([1, 2, math.nan, 3, 4], [1, 2, 3, math.inf, 4])[3:] == (1, 3)
    few = agreement([1, 2], [1, 2])
    assert few.samples == 2 and math.isnan(few.tau) and math.isnan(few.low)
