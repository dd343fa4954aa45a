"""Curves at equal cost, figures over seeds, verdicts that the seeds allow, and doubts that are said."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nasengine.compare.comparison import Comparison
from nasengine.compare.groups import grouped
from nasengine.compare.members import By, read
from nasengine.errors import NasError
from nasengine.ledger import Ledger
from tests.compare.made_up import write


def compared(db: Path, *texts: str, by: By = "cost") -> Comparison:
    with Ledger(db) as ledger:
        return Comparison(grouped(ledger, texts), by)


def remarks(db: Path, *texts: str, by: By = "cost") -> str:
    return "\n".join(compared(db, *texts, by=by).remarks())


def test_the_best_so_far_by_cost_by_number_and_by_the_clock(db: Path) -> None:
    with Ledger(db) as ledger:
        member = read(ledger, "evo-0")
    assert member.total("cost") == member.total("trials") == 4
    assert member.total("time") == pytest.approx(4, abs=0.1)
    points = np.array([0.0, 1, 2, 3, 3.5, 4, 5])
    nothing = float("nan")
    for by in ("cost", "trials"):
        found = member.after(by, points)
        np.testing.assert_array_equal(found, [nothing, 0.5, 0.5, 0.7, 0.7, 0.9, nothing])  # the second one failed
    assert member.test == 0.85


def test_figures_are_at_the_budget_that_all_have_spent(db: Path) -> None:
    write(db, "slow", [0.5, 0.6, 0.8], 0.7, seconds=0.75, strategy="local-search")
    made = compared(db, "evo-*", "slow")
    assert made.equal == 2.25 and made.unit == "core seconds" and made.tested == "test accuracy"
    evo, slow = made.rows
    assert evo.equal == pytest.approx((0.5, 0.51, 0.52, 0.53)) and slow.equal == (0.8,)
    assert evo.tests == pytest.approx((0.85, 0.86, 0.87, 0.88)) and (evo.budget, slow.budget) == (4, 2.25)
    curve = made.curves["evo"]
    assert curve.spent[-1] == 4 and curve.mean[-1] == pytest.approx(0.915)
    assert curve.low[-1] < curve.mean[-1] < curve.high[-1] and np.isnan(curve.mean[0])


def test_a_mean_begins_where_every_seed_has_a_value_and_never_falls(db: Path) -> None:
    write(db, "evo-late", [None, None, 0.2, 0.8], 0.7, seed=9)
    curve = compared(db, "evo-*", "rand-*", by="trials").curves["evo"]
    assert np.isnan(curve.mean[:2]).all() and np.isfinite(curve.mean[2:]).all()
    assert (np.diff(curve.mean[2:]) >= 0).all()


def test_four_seeds_that_all_win_are_told_apart_and_three_cannot_be(db: Path) -> None:
    made = compared(db, "evo-*", "rand-*")
    for pairs in made.verdicts.values():
        (pair,) = pairs
        assert (pair.better, pair.worse, pair.seeds) == ("evo", "rand", 4)
        assert pair.p == pytest.approx(2 / 70) and pair.significant  # 70 ways to deal out 4 of 8 ranks
    assert made.verdicts["test accuracy"][0].difference == pytest.approx(0.3)
    assert "seeds cannot" not in "\n".join(made.remarks())
    three = compared(db, "evo-0+evo-1+evo-2=evo", "rand-0+rand-1+rand-2=rand")
    assert three.verdicts["test accuracy"][0].p == pytest.approx(0.1)
    assert "3 seeds cannot tell groups apart" in "\n".join(three.remarks())
    two = compared(db, "evo-0+evo-1=evo", "rand-*")
    assert two.verdicts == {} and "evo: fewer than 3 seeds, which is too few for a claim" in "\n".join(two.remarks())


def test_losses_are_better_where_they_are_smaller(tmp_path: Path) -> None:
    db, goal = tmp_path / "n.db", {"objectives": ["min:validation_loss"], "reward": "soft"}
    for seed in range(4):
        write(db, f"a-{seed}", [-0.9, -0.2 - seed / 100], None, seed=seed, goal=goal)
        write(db, f"b-{seed}", [-0.9, -0.4 - seed / 100], None, seed=seed, goal=goal, strategy="random-search")
    made = compared(db, "*")
    assert made.rows[0].equal == pytest.approx((0.2, 0.21, 0.22, 0.23))
    assert made.verdicts["validation loss"][0].better == "a" and made.tested is None
    assert "there is no test figure" in "\n".join(made.remarks())


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"data_fingerprint": "two"}, "saw different images"),
        ({"fidelity": {"epochs": 3}}, "Candidates were measured differently"),
        ({"recipe": {"candidate": {"epochs": 1}, "final": {"epochs": 9}}}, "recipes (evo epochs=2; other epochs=9)"),
        ({"environment": {"host": "there", "threads": 1}}, "different machines (host: here, there)"),
        ({"environment": {"host": "here", "threads": 8}}, "different machines (threads: 1, 8)"),
        ({"gpu": True}, "Some used a GPU and some did not"),
        ({"finish": False}, "other is stopped, not complete"),
    ],
)  # fmt: skip
def test_what_makes_it_unfair_is_said(db: Path, facts: dict[str, Any], said: str) -> None:
    assert said not in remarks(db, "evo-*", "rand-*")
    write(db, "other", [0.5, 0.6], 0.7, strategy="local-search", **facts)
    assert said in remarks(db, "evo-*", "other")


def test_other_images_or_recipes_get_no_verdict(db: Path) -> None:
    for seed in range(4):
        write(db, f"other-{seed}", [0.1], 0.1, seed=seed, data_fingerprint="two")
    assert compared(db, "evo-*", "other-*").verdicts == {}


def test_searches_of_different_goals_are_refused(db: Path) -> None:
    write(db, "small", [0.5], 0.5, goal={"objectives": ["min:params"], "reward": "soft"})
    with pytest.raises(NasError, match="aim at different things .*min:params"):
        compared(db, "evo-*", "small")
