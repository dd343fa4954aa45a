"""Incumbents, ranks, targets and bands: small enough to be counted by hand."""

import numpy as np
import pytest

from nasengine.bench.statistics import Standing, bootstrapped, figures, incumbents, mean, median, ranks, threshold
from nasengine.bench.tabular import NO_ROW
from nasengine.bench.uniform import Uniform
from tests.bench.made_up import contest, run

SCORES = np.array([5.0, 1.0, 7.0, 7.0, 2.0])


def test_the_incumbent_is_the_first_best_and_stays_after_an_early_end() -> None:
    assert incumbents([1, 0, 4, 3, 2], SCORES, 7).tolist() == [1, 0, 0, 3, 3, 3, 3]
    assert incumbents([NO_ROW, 4], SCORES, 3).tolist() == [NO_ROW, 4, 4]
    assert incumbents([], SCORES, 2).tolist() == [NO_ROW, NO_ROW]


def test_ranks_are_one_for_the_best_and_shared_by_equals() -> None:
    assert ranks(SCORES, np.array([7.0, 5.0, 1.0])).tolist() == [1, 3, 5]
    assert np.isnan(ranks(SCORES, np.array([np.nan]))).all()


def test_the_target_takes_equals_in() -> None:
    assert threshold(SCORES, 0.2) == (7.0, 2)
    assert threshold(SCORES, 0.6) == (5.0, 3)
    assert threshold(SCORES, 0.001) == (7.0, 2)  # at least the best


def test_means_are_none_where_a_run_is_missing() -> None:
    assert mean(np.array([1.0, np.nan, 3.0])) == 2.0
    assert mean(np.array([1.0, np.inf])) is None and mean(np.array([])) is None
    assert median(np.array([1.0, 2.0, np.inf])) == 2.0 and median(np.array([1.0, np.inf, np.inf])) is None


def test_the_band_holds_the_mean_and_leaves_out_what_is_missing() -> None:
    curves = np.array([[np.nan, 1.0], [2.0, 3.0], [4.0, 3.0], [6.0, 3.0]])
    middle, low, high = bootstrapped(curves)
    assert middle.tolist() == [4.0, 2.5]
    assert (low <= middle).all() and (middle <= high).all()
    assert low[1] >= 1.0 and high[1] <= 3.0  # never beyond what was seen
    assert all(np.array_equal(a, b) for a, b in zip(bootstrapped(curves), (middle, low, high), strict=True))


def test_the_width_of_the_band_is_that_of_the_mean() -> None:
    """For normal values it is 2 * 1.96 standard errors."""
    curves = np.random.default_rng(1).normal(size=(400, 1))
    _, low, high = bootstrapped(curves)
    assert float(high[0] - low[0]) == pytest.approx(2 * 1.96 / 20, rel=0.1)


def test_figures_of_two_runs_counted_by_hand() -> None:
    made = contest()
    best = int(made.scores.argmax())
    runs = [run("x", 8, 0, 0, best, 3), run("x", 7, 5, NO_ROW, 6, 6), run("x", 9, 1, error="query 1: broke")]
    standing = Standing("x", made, runs, budget=4)
    assert standing.seeds == [7, 8]
    found = figures(standing, Uniform(made.scores), share=1 / 81)
    other = max(made.scores[5], made.scores[6])
    assert found["strategy"] == "x" and found["seeds"] == 2 and found["queries"] == 4
    assert found["mean_validation"] == pytest.approx((made.scores[best] + other) / 2)
    assert found["mean_test"] == pytest.approx(found["mean_validation"] - 0.1)
    assert found["sd_validation"] == pytest.approx((made.scores[best] - other) / 2**0.5)
    assert found["se_validation"] == pytest.approx(found["sd_validation"] / 2**0.5)
    assert found["fraction_at_optimum"] == 0.5
    assert found["median_rank"] == (1 + 1 + (made.scores > other).sum()) / 2
    assert found["regret"] == pytest.approx((made.scores[best] - other) / 2)
    assert found["mean_duplicates"] == 1.0 and found["mean_failures"] == 0.5 and found["errors"] == 1
    assert found["reached_target"] == 0.5 and found["mean_queries_to_target"] is None
    assert standing.reached(made.scores.max()).tolist() == [np.inf, 3.0]
    assert found["uniform_mean_queries_to_target"] == 81


def test_without_a_value_to_report_the_test_is_null() -> None:
    made = contest(report=False)
    found = figures(Standing("x", made, [run("x", 0, 3)], budget=1), Uniform(made.scores), 0.1)
    assert found["mean_test"] is None and found["regret_test"] is None and found["uniform_mean_test"] is None


def test_what_is_to_be_small_is_reported_as_it_is() -> None:
    made = contest("min:latency_ms")
    found = figures(Standing("x", made, [run("x", 0, 20, 10)], budget=2), Uniform(made.scores), 0.1)
    assert found["mean_validation"] == 1.01 and found["mean_value"] == -1.01
    assert found["regret"] == pytest.approx(0.01) and found["median_rank"] == 11


def test_queries_are_those_that_were_made_where_all_runs_ended_early() -> None:
    made = contest()
    ended = [run("x", 0, 1, 2, ended=True), run("x", 1, 1, 2, 3, ended=True)]
    found = figures(Standing("x", made, ended, budget=9), Uniform(made.scores), 0.1)
    assert found["queries"] == 3 and found["ended"] == 2


def test_no_run_at_all_gives_nulls() -> None:
    made = contest()
    found = figures(Standing("x", made, [run("x", 0, error="query 0: broke")], budget=3), Uniform(made.scores), 0.1)
    assert found["seeds"] == 0 and found["mean_validation"] is None and found["median_rank"] is None
