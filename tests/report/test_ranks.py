"""How well cheap scores rank: which measures are compared, and how."""

import random
from collections.abc import Callable

import pytest

from nasengine.bench.agreement import agreement
from nasengine.report.findings import Findings
from nasengine.report.ranks import MANY, compared, early, mean_of_rounds, rankings, rounds
from tests.report.made_up import EVIL


def test_for_many_networks_tau_is_the_same_and_the_interval_alike() -> None:
    rng = random.Random(0)
    pairs = [(x, x + rng.gauss(0, 1)) for x in (rng.gauss(0, 1) for _ in range(MANY + 1))]
    many, drawn = compared(pairs), agreement(*zip(*pairs, strict=True))
    assert many.tau == pytest.approx(drawn.tau) and many.rho == pytest.approx(drawn.rho)
    assert (many.low, many.high) == pytest.approx((drawn.low, drawn.high), abs=0.03)
    assert compared([(x, x) for x in range(MANY + 1)])[:3] == pytest.approx((1, 1, 1))


def test_every_other_measure_is_compared_with_the_goal(findings: Callable[[str], Findings]) -> None:
    found = findings(EVIL)
    by_name = {(one.kind, one.cheap): one.told for one in rankings(found)}
    assert by_name["another value", "naswot"].tau == 1  # it grows with the accuracy there
    assert by_name["size alone", "multiply-adds"].tau == 1
    assert by_name["size alone", "parameters"].tau < 1
    assert by_name["another value", "naswot"].samples == len(found.ranked)


def test_the_same_networks_in_another_search_are_compared(findings: Callable[[str], Findings]) -> None:
    other = [one for one in rankings(findings("stopped")) if one.kind == "another search"]
    assert {one.dear for one in other} == {
        f"validation accuracy in {EVIL} (train)",
        "validation accuracy in table (table)",
    }
    assert all(one.cheap == "validation accuracy here (train)" and one.told.tau == 1 for one in other)


def test_early_epochs_are_compared_with_the_last(findings: Callable[[str], Findings]) -> None:
    told = early(findings(EVIL))
    assert told is not None and told.metric == "validation_accuracy"
    assert list(told.epochs) == [1, 2, 3] and all(one.tau == 1 for one in told.told)
    assert early(findings("begun")) is None


def test_rounds_of_predictions_have_a_mean_within_its_interval(findings: Callable[[str], Findings]) -> None:
    taus = [one["tau"] for one in rounds(findings(EVIL))]
    mean, low, high = mean_of_rounds(taus)
    assert taus == [0.4, 0.6, 0.8] and mean == pytest.approx(0.6) and low < mean < high


def test_a_search_without_results_has_nothing_to_compare(findings: Callable[[str], Findings]) -> None:
    assert rankings(findings("begun")) == []
