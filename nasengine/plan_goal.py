"""What a plan's objectives ask for before anything is trained: figures of candidates, and a space within bounds."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nasengine.errors import NasError
from nasengine.ledger import DEFAULT
from nasengine.search.objective import Goal, known_before_training
from nasengine.space import Architecture

if TYPE_CHECKING:
    from nasengine.planned import Plan

COUNTED = ("params", "macs")  # every result has them


def within_bounds(plan: "Plan", db: str | Path) -> "Plan":
    """The plan with a space that holds only what meets the bounds known before training; refused where none does.

    Bounds that enter by a reward are no limits. What a table answers is known from its rows. Latencies that were
    measured are kept beside the database.
    """
    wanted = [one for one in plan.goal.objectives if known_before_training(one.name)]
    nowhere = [one.name for one in plan.goal.objectives if plan.table is None and one.name in ("latency", "energy")]
    if nowhere:
        raise NasError(f"search: objective {nowhere[0]} came without a device; give one, as in {nowhere[0]}@cpu")
    if plan.table is None and any(one.name not in COUNTED for one in wanted):
        from nasengine.hardware.figures import Figures

        beside = (DEFAULT if "://" in str(db) else Path(db)).parent / "latency"
        plan = replace(plan, figures=Figures(plan.space, [one.name for one in wanted], folder=beside))
    if plan.goal.reward != "constraint" or not any(one.bound is not None for one in wanted):
        return plan
    from nasengine.search.constraints import bounded

    estimate = _estimate(plan)
    of_supernet = plan.supernet_space and bounded(plan.supernet_space, plan.goal, estimate)
    return replace(plan, space=bounded(plan.space, plan.goal, estimate), supernet_space=of_supernet)


def _estimate(plan: "Plan") -> Callable[[Architecture], Mapping[str, float]]:
    if plan.figures is not None:
        return plan.figures.estimate
    table, epochs = plan.table, plan.fidelity.get("epochs")
    if table is not None:
        return lambda architecture: table.at(table.row(architecture), epochs)
    from nasengine.interpreters.cost import cost

    space = plan.space
    return lambda architecture: {name: float(value) for name, value in vars(cost(space, architecture)).items()}


def check_gradient(strategy: str, goal: Goal) -> None:
    """Raise NasError for objectives that a supernet's gates cannot follow: they descend one loss, within bounds."""
    strange = [
        str(one)
        for one in goal.objectives[1:]
        if one.bound is None or not known_before_training(one.name) or goal.reward != "constraint"
    ]
    if goal.objectives[0].name != "validation_accuracy":
        strange.insert(0, str(goal.objectives[0]))
    if strange:
        raise NasError(
            f"search: strategy {strategy} trains a supernet, whose gates follow the loss; --objective "
            f"{', '.join(strange)} came with --reward {goal.reward}; allowed are accuracy and bounds that are known "
            "before training, such as params<3M, with --reward constraint; a strategy that proposes takes the others"
        )
