"""What is said of a sample: nothing where rankings agree, and what to do where they do not."""

import math
from pathlib import Path

import pytest

from nasengine.bench.agreement import Agreement, agreement
from nasengine.fidelity import Fidelity, Pair, fidelity_of, known_fidelity
from nasengine.job import Result
from nasengine.ledger import Ledger


def made_up(inherited: list[float], trained: list[float], params: list[int]) -> Fidelity:
    pairs = tuple(Pair(n, None, *entries, 1) for n, entries in enumerate(zip(inherited, trained, params, strict=True)))
    return Fidelity("f", "big", pairs, agreement(inherited, trained), {"params": agreement(params, trained)})


RISING = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
MIXED = [0.8, 0.1, 0.5, 0.3, 0.9, 0.2, 0.7, 0.4]


def test_where_both_agree_there_is_no_doubt() -> None:
    assert made_up(RISING, [value + 0.1 for value in RISING], [1, 3, 2, 4, 8, 6, 7, 5]).doubts == []


def test_a_low_tau_is_said_with_what_to_do() -> None:
    low, size = made_up(MIXED, [1 + value for value in RISING], [*range(8)]).doubts
    assert low.startswith("values with the weights of big may have nothing to do with those after training (tau 0.")
    assert "8 networks" in low and "--strategy sandwich" in low and "--epochs" in low
    assert size.startswith("params alone rank them better (tau 1.00)")
    backwards = made_up(
        [0.5, 0.8, 0.7, 0.3, 0.6, 0.2, 0.4, 0.1], [1 + value for value in RISING], [4, 8, 7, 3, 6, 1, 2, 5]
    )
    assert backwards.agreement.tau < backwards.baselines["params"].tau < 0  # no baseline to compare with
    assert len(backwards.doubts) == 1


@pytest.mark.parametrize(("tau", "low", "words"), [(0.25, 0.1, "say little about"), (0.5, -0.1, "may have nothing")])
def test_either_a_low_tau_or_an_interval_below_zero_is_a_doubt(tau: float, low: float, words: str) -> None:
    found = Fidelity("f", "big", (), Agreement(tau, low, 0.9, 0.0, 9), {})
    assert [words in doubt for doubt in found.doubts] == [True]
    assert Fidelity("f", "big", (), Agreement(0.3, 0.0, 0.9, 0.0, 9), {}).doubts == []


def test_trainings_that_leave_networks_worse_are_doubted_themselves() -> None:
    doubts = made_up(RISING, [*RISING[:5], 0.51, 0.52, 0.53], [1] * 8).doubts
    assert ["3 of 8 networks are worse after their own training" in doubt for doubt in doubts] == [True]


def recorded(ledger: Ledger, name: str, trained: list[float | None]) -> None:
    facts = {"space": "s", "strategy": "fidelity", "options": {"supernet": "big"}}
    with ledger.open_search(name, **facts) as record:
        for number, value in enumerate(trained):
            record.record(Result(number, {}, values={"validation_accuracy": number / 10}), kind="inherited")
            error = "broken" if value is None else None
            values = {} if value is None else {"validation_accuracy": value}
            record.record(Result(number, {}, values=values, params=5 - number, macs=1, error=error))


def test_the_largest_sample_is_what_is_known_and_failures_are_left_out(tmp_path: Path) -> None:
    with Ledger(tmp_path / "n.db") as ledger:
        assert known_fidelity(ledger, "big") is None
        recorded(ledger, "one", [0.1, 0.2, None])
        assert known_fidelity(ledger, "big") is None  # two are no ranking
        recorded(ledger, "two", [0.1, 0.2, 0.3, None])
        recorded(ledger, "three", [0.3, 0.2, 0.1])
        assert known_fidelity(ledger, "big") == (1, 1, 1, 3) and known_fidelity(ledger, "small") is None
        found = fidelity_of(ledger, "two")
    assert found.baselines["params"].tau == -1 and math.isnan(found.baselines["macs"].tau)
    assert [pair.trained for pair in found.pairs] == [0.1, 0.2, 0.3, None]
