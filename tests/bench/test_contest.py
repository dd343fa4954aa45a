"""A table under a goal: what is hidden from strategies, and what the number is that they are told."""

import numpy as np
import pytest

from nasengine.bench.contest import Contest
from nasengine.errors import TableError
from nasengine.search.objective import Goal
from tests.bench.made_up import contest


def test_strategies_do_not_see_what_is_reported() -> None:
    made = contest()
    values, score, objectives = made.answer(5)
    assert set(values) == {"validation_accuracy", "latency_ms"}
    assert score == values["validation_accuracy"] == made.table.values["validation_accuracy"][5]
    assert objectives == (score,)
    assert made.report == "test_accuracy"


def test_a_goal_that_names_the_test_selects_by_it_and_reports_nothing_else() -> None:
    made = contest("test_accuracy")
    assert made.report is None
    assert "test_accuracy" in made.answer(0)[0]


def test_what_is_to_be_small_is_turned() -> None:
    made = contest("min:latency_ms", "validation_accuracy")
    assert made.scores.argmax() == 0
    _, score, objectives = made.answer(10)
    assert score == -1.01 and objectives == (-1.01, made.table.values["validation_accuracy"][10])


def test_bounds_make_the_score_mnasnets_reward() -> None:
    made = contest("validation_accuracy", "latency_ms<1.03")
    goal = Goal.parse(["validation_accuracy", "latency_ms<1.03"], "soft")
    assert made.bounded
    assert made.scores.tolist() == [goal.value(made.table.at(row)) for row in range(81)]
    assert not np.array_equal(made.scores, made.table.values["validation_accuracy"])
    with pytest.raises(TableError, match="give --reward soft or --reward hard"):
        Contest(made.table, Goal.parse(["validation_accuracy", "latency_ms<1.03"], "constraint"))


def test_an_objective_that_the_table_lacks_is_named_with_those_there_are() -> None:
    with pytest.raises(TableError, match='no latncy_ms; objectives may be .*latency_ms.* Did you mean "latency_ms"'):
        contest("validation_accuracy", "min:latncy_ms")
