"""A whole comparison: its rows, who beats whom, its curves and what it says beside them."""

import numpy as np
import pytest

from nasengine.bench.comparison import Comparison
from nasengine.bench.tabular import NO_ROW, Run
from tests.bench.made_up import contest, run


def compared(*objectives: str, budget: int = 3, runs: list[Run] | None = None, rows: int | None = None) -> Comparison:
    """`good` finds better rows than `bad` under each of eight seeds."""
    made = contest(*objectives, rows=rows)
    order = np.argsort(made.scores).tolist()
    both = [run("good", seed, *order[-3 - seed : -seed or None]) for seed in range(8)]
    both += [run("bad", seed, *order[seed : seed + 3]) for seed in range(8)]
    return Comparison(made, ["good", "bad"], both if runs is None else runs, budget, 0.05)


def test_rows_say_who_is_significantly_better() -> None:
    made = compared()
    good, bad = made.rows
    assert (good["strategy"], bad["strategy"]) == ("good", "bad")
    assert good["significantly_better_than"] == ["bad"] and bad["significantly_better_than"] == []
    assert good["fraction_at_optimum"] == 1 / 8
    assert made.reported_pairs[0].better == "good"


def test_the_table_has_a_line_for_each_strategy_and_one_for_uniform_draws() -> None:
    titles, good, _bad, uniform = compared().table
    assert titles[:4] == ["strategy", "seeds", "validation accuracy", "test accuracy"]
    assert good[:2] == ["good", "8"] and uniform[0] == "uniform draws, exactly"
    assert len({len(line) for line in compared().table}) == 1


def test_the_best_entry_is_the_smallest_where_small_is_good() -> None:
    first, tested, regret = compared("min:latency_ms").panels()
    assert first.best == 1.0 and (np.diff(first.curves["good"].mean) <= 0).all()
    assert tested.best is None and regret.logarithmic and (regret.curves["bad"].mean >= 0).all()


def test_curves_of_a_large_budget_are_thinned_to_both_ends() -> None:
    made = compared(budget=5000)
    assert made.queries[0] == 1 and made.queries[-1] == 5000 and len(made.queries) <= 250
    assert len(made.panels()[0].curves["good"].mean) == len(made.queries)


def test_a_budget_beyond_the_table_and_early_ends_are_said() -> None:
    ended = [run("good", 0, 1, 2, ended=True), run("bad", 0, 3, NO_ROW, 5)]
    said = "\n".join(compared(budget=100, runs=ended).remarks())
    assert "The budget of 100 queries is larger than the table, which has 81 rows" in said
    assert "good had nothing more to propose in 1 of 1 runs, first after 2 queries; its curve stays flat" in said
    assert "bad asked 1 times for what the table has no row for" in said
    assert "Made up." in said and "Duplicates cost a query" in said


def test_errors_and_warnings_are_said_with_strategy_and_seed() -> None:
    runs = [run("good", 0, 1), run("good", 1, error="query 0: broke"), run("bad", 0, 2, warnings=["worthless"])]
    said = compared(runs=runs).remarks()
    assert "good failed with seed 1 at query 0: broke. This run is in no figure." in said
    assert "bad warns (1 of 1 runs): worthless" in said


def test_one_value_alone_is_said() -> None:
    made = Comparison(contest(report=False), ["good"], [run("good", 0, 1)], 1, 0.1)
    assert "There is one value only" in made.remarks()[0]
    assert len(made.panels()) == 2 and "test" not in " ".join(made.table[0])


@pytest.mark.parametrize(
    ("objectives", "words"),
    [(("validation_accuracy", "min:latency_ms"), "validation accuracy alone"),
     (("validation_accuracy", "latency_ms<1.03"), "MnasNet's reward, soft")],
)  # fmt: skip
def test_several_objectives_are_said(objectives: tuple[str, ...], words: str) -> None:
    made = compared(*objectives)
    assert any(words in sentence for sentence in made.remarks())
    assert ("reward" in made.table[0]) == made.contest.bounded
    assert made.panels()[0].axis == ("reward" if made.contest.bounded else "validation accuracy")
