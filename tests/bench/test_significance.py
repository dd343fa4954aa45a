"""Paired tests with Holm's correction: known vectors, directions, ties, seeds that one side lacks."""

import pytest

from nasengine.bench.significance import compare, holm


def test_holm_corrects_step_by_step() -> None:
    """Ordered p-values times the number of hypotheses that are left, never falling (Holm, 1979)."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def scores(*values: float) -> dict[int, float]:
    return dict(enumerate(values))


def test_the_better_one_is_named_with_its_lead() -> None:
    low = scores(*(float(seed) for seed in range(10)))
    high = {seed: value + 0.5 + seed / 100 for seed, value in low.items()}
    (pair,) = compare({"low": low, "high": high})
    assert (pair.better, pair.worse, pair.seeds) == ("high", "low", 10)
    assert pair.p == pytest.approx(2 / 2**10)  # all of ten differences have one sign
    assert pair.difference == pytest.approx(0.545) and pair.significant


def test_equals_are_not_told_apart() -> None:
    (pair,) = compare({"a": scores(1, 2, 3), "b": scores(1, 2, 3)})
    assert pair.p == 1.0 and not pair.significant and pair.difference == 0


def test_only_common_seeds_are_compared_and_runs_without_a_score_are_left_out() -> None:
    (pair,) = compare({"a": {0: 1.0, 1: 2.0, 2: 5.0}, "b": {1: 1.0, 2: float("nan"), 3: 9.0}})
    assert pair.seeds == 1 and pair.better == "a" and pair.p == 1.0


def test_all_pairs_are_corrected_together() -> None:
    base = scores(*(float(seed % 7) for seed in range(12)))
    made = {name: {seed: value + lead * (1 + seed / 50) for seed, value in base.items()}
            for name, lead in (("a", 0.0), ("b", 1.0), ("c", 2.0))}  # fmt: skip
    pairs = compare(made)
    assert [(pair.better, pair.worse) for pair in pairs] == [("b", "a"), ("c", "a"), ("c", "b")]
    assert [pair.p for pair in pairs] == pytest.approx([3 * 2 / 2**12] * 3)
