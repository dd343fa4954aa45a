"""What a goal of the ledger is to Optuna: names, directions, values, constraints, curves."""

from typing import Any

import pytest

from nasengine.ledger.optuna_aims import Aims
from nasengine.search.objective import Goal


def row(**more: Any) -> dict[str, Any]:
    values = {"validation_accuracy": 0.75, "validation_loss": 0.5}
    return {"params": 900, "macs": 1200, "seconds": 2.0, "values": values, "value": 0.6, **more}


@pytest.mark.parametrize(
    ("asked", "objectives"),
    [
        (["accuracy"], {"validation_accuracy": True}),
        (["loss"], {"validation_loss": False}),
        (["min:params"], {"params": False}),
        (["accuracy", "min:params", "macs<1k"], {"validation_accuracy": True, "params": False}),
        (["accuracy", "latency@cpu:0<5ms"], {"validation_accuracy": True}),
        (["accuracy", "min:latency@cpu:0"], {"validation_accuracy": True, "latency_ms@cpu:0": False}),
    ],
)
def test_objectives_and_bounds_are_those_of_the_goal(asked: list[str], objectives: dict[str, bool]) -> None:
    goal = Goal.parse(asked)
    aims = Aims.of(goal.to_json())
    assert dict(aims.objectives) == objectives == {one.name: one.sign > 0 for one in goal.free}
    assert dict(aims.bounds) == {one.name: one.bound for one in goal.bounds}


def test_without_a_goal_it_is_the_validation_accuracy() -> None:
    assert dict(Aims.of(None).objectives) == {"validation_accuracy": True}


def test_a_reward_is_one_number_without_constraints() -> None:
    aims = Aims.of(Goal.parse(["accuracy", "macs<1k"], reward="soft").to_json())
    assert dict(aims.objectives) == {"reward (soft)": True} and not aims.bounds
    assert aims.values(row(), {}) == (["reward"], [0.6])
    assert aims.violations(row()) is None


def test_values_come_from_wherever_they_are() -> None:
    aims = Aims.of(Goal.parse(["accuracy", "min:params"]).to_json())
    assert aims.values(row(), {}) == (["validation_accuracy", "params"], [0.75, 900])
    final = row(values={"test_accuracy": 0.8, "train_accuracy": 0.9})
    assert aims.values(final, {}) == (["test_accuracy", "params"], [0.8, 900])
    assert aims.values(row(params=None), {})[1] is None


def test_a_supernet_has_the_accuracy_of_its_gates_or_else_its_last() -> None:
    aims = Aims.of_supernets()
    assert aims.values(row(values={"gate_accuracy": 0.3}), {}) == (["gate_accuracy"], [0.3])
    assert aims.values(row(values={"train_accuracy": 0.3}), {1: 0.1, 2: 0.2}) == (["last epoch"], [0.2])
    assert aims.values(row(values={}), {})[1] is None


def test_violations_are_shares_of_the_bounds() -> None:
    aims = Aims.of(Goal.parse(["accuracy", "macs<1k", "params<1k", "latency@cpu<5ms"]).to_json())
    broken = aims.violations(row())
    assert broken is not None and broken == pytest.approx([0.2, -0.1])  # the latency was not measured


@pytest.mark.parametrize(
    ("epoch", "value"),
    [
        ({"validation_loss": 0.5, "validation_accuracy": 0.7, "train_loss": 2.0}, 0.5),
        ({"gate_loss": 0.4, "train_loss": 2.0}, 0.4),
        ({"validation_accuracy": 0.7, "train_accuracy": 0.9}, 0.7),
        ({"train_accuracy": 0.9, "lr": 0.1}, 0.9),
        ({"lr": 0.1}, None),
    ],
)
def test_a_curve_shows_the_first_objective_or_what_is_nearest_to_it(epoch: dict[str, float], value: float) -> None:
    assert Aims.of(Goal.parse(["loss", "min:params"]).to_json()).curve(epoch) == value
