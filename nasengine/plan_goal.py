"""What a plan's objectives ask for before anything is trained: figures of candidates, and a space within bounds."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nasengine.errors import NasError
from nasengine.ledger import DEFAULT
from nasengine.search.objective import Goal, known_before_training
from nasengine.space import Architecture, Space

if TYPE_CHECKING:
    from nasengine.hardware.figures import Figures
    from nasengine.planned import Plan

Estimate = Callable[[Architecture], Mapping[str, float]]

COUNTED = ("params", "macs")  # every result has them


def within_bounds(plan: "Plan", db: str | Path) -> "Plan":
    """The plan with a space that holds only what meets the bounds known before training; refused where none does.

    Bounds that enter by a reward are no limits. What a table answers is known from its rows. Latencies that were
    measured are kept beside the database.
    """
    table, epochs = plan.table, plan.fidelity.get("epochs")
    if table is not None:
        return _narrowed(plan, lambda architecture: table.at(table.row(architecture), epochs))
    figures = figures_of(plan.space, plan.goal, db)
    return _narrowed(replace(plan, figures=figures), estimate_of(plan.space, figures))


def _narrowed(plan: "Plan", estimate: Estimate) -> "Plan":
    if not any(known_before_training(one.name) for one in plan.goal.bounds):
        return plan
    from nasengine.search.constraints import bounded

    of_supernet = plan.supernet_space and bounded(plan.supernet_space, plan.goal, estimate)
    return replace(plan, space=bounded(plan.space, plan.goal, estimate), supernet_space=of_supernet)


def figures_of(space: Space, goal: Goal, db: str | Path) -> "Figures | None":
    """What tells an architecture's figures, where a goal asks for others than its size; NasError for no device."""
    nowhere = [one.name for one in goal.objectives if one.name in ("latency", "energy")]
    if nowhere:
        raise NasError(f"objective {nowhere[0]}: it came without a device; give one, as in {nowhere[0]}@cpu")
    wanted = [one.name for one in goal.objectives if known_before_training(one.name)]
    if all(name in COUNTED for name in wanted):
        return None
    from nasengine.hardware.figures import Figures

    return Figures(space, wanted, folder=(DEFAULT if "://" in str(db) else Path(db)).parent / "latency")


def estimate_of(space: Space, figures: "Figures | None") -> Estimate:
    """What is known of an architecture without measuring it."""
    if figures is not None:
        return figures.estimate
    from nasengine.interpreters.cost import cost

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
