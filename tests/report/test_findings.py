"""What is read of a search: outcomes, curves of the trials that are drawn, the same networks elsewhere."""

from collections.abc import Callable
from pathlib import Path

import pytest

from nasengine.errors import LedgerError
from nasengine.ledger import Ledger
from nasengine.report.findings import CURVES_BEST, Findings, read
from tests.report.made_up import EVIL


def test_every_candidate_has_one_outcome(findings: Callable[[str], Findings]) -> None:
    found = findings(EVIL)
    assert found.outcomes == {"complete": 10, "infeasible": 4, "pruned": 4, "failed": 2}
    assert sum(found.outcomes.values()) == len(found.candidates) == 20


def test_the_best_stands_first_and_has_a_curve(findings: Callable[[str], Findings]) -> None:
    found = findings(EVIL)
    values = [row["value"] for row in found.ranked]
    assert values == sorted(values, reverse=True)
    assert all(row["id"] in found.curves for row in found.ranked[:CURVES_BEST])
    assert [one["epoch"] for one in found.curves[found.ranked[0]["id"]]] == [1, 2, 3, 4]


def test_a_trial_that_was_cut_off_has_no_end(findings: Callable[[str], Findings]) -> None:
    found = findings("stopped")
    assert found.outcomes["stopped"] == 1 and found.candidates[-1]["finished"] is None
    assert found.best is not None and found.best["kind"] == "candidate"


def test_networks_that_other_searches_know(findings: Callable[[str], Findings]) -> None:
    assert {row["search"] for row in findings("table").elsewhere} == {EVIL, "stopped"}


def test_a_missing_search_is_named_with_those_that_are_there(database: Path) -> None:
    with Ledger(database, create=False) as ledger, pytest.raises(LedgerError, match='Did you mean "gradient"'):
        read(ledger, "gradiant")
