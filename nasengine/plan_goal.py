"""What a plan's objectives and data ask for before anything is trained: figures, bounds, a task that fits."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasengine.errors import NasError
from nasengine.interpreters.shape import trace
from nasengine.ledger import DEFAULT
from nasengine.search.objective import Goal, Objective, known_before_training
from nasengine.space import EVERYTHING, Architecture, Space
from nasengine.training.data import Dataset
from nasengine.training.tasks import FIGURES, task_of

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


def suited(words: Mapping[str, Any], dataset: Dataset, is_gradient: bool) -> dict[str, Any]:
    """The words of a search with the goal, and the value to stop by, that its data has where none was given.

    Raises NasError for an objective that this data has no value for, or that gates cannot follow.
    """
    figure = task_of(dataset).figure
    goal = words["goal"] or Goal((Objective(f"validation_{figure}"),))
    check_figures(goal, dataset)
    if is_gradient:
        check_gradient(words["strategy_name"], goal, figure)
    return {**words, "goal": goal, "stop_by": words["stop_by"] or f"validation_{figure}"}


def check_figures(goal: Goal, dataset: Dataset) -> None:
    """Raise NasError for objectives that are figures of another task, or of more classes than there are."""
    has = [name for name in task_of(dataset).figures if name != "top5_accuracy" or dataset.classes > 5]
    every = {name for names in FIGURES.values() for name in names}
    asked = [one.name.removeprefix("validation_") for one in goal.objectives]
    strange = [name for name in asked if name in every and name not in has]
    if strange:
        raise NasError(
            f"objective {', '.join(strange)}: data {dataset.name} is for {dataset.task}, with {dataset.classes} "
            f"{'targets' if dataset.task == 'regression' else 'classes'}; allowed are {', '.join(has)}, loss, and what "
            "is known before training"
        )


def check_output(space: Space, dataset: Dataset) -> None:
    """Raise NasError where a space's networks put out something else than the data's task wants."""
    _, output = trace(space, EVERYTHING)
    wanted = task_of(dataset).output(space.input, dataset.classes)
    if output[1:] == wanted[1:]:  # how many classes or targets there are may be a setting
        return
    pixels = dataset.task == "segmentation"
    raise NasError(
        f"space {space.name}: of an image its networks put out {_shape(output)}; data {dataset.name} is for "
        f"{dataset.task} and wants {_shape(wanted)}; give "
        + ("--space segmenter, or one of yours that classifies pixels" if pixels else "a space that classifies images")
    )


def _shape(sizes: tuple[int, ...]) -> str:
    names = ("numbers", "height", "width")
    return " x ".join(f"{size} {name}" for size, name in zip(sizes, names, strict=False))


def check_taught(strategy: Any, name: str, dataset: Dataset) -> None:
    """Raise NasError where a strategy teaches networks by another's class probabilities, and there are none."""
    if dataset.task != "classification" and getattr(strategy, "imitates", False):
        raise NasError(
            f"search: strategy {name} teaches networks by what another one thinks of an image's class; data "
            f"{dataset.name} is for {dataset.task}: give one that learns from labels alone, such as one-shot or darts"
        )


def check_gradient(strategy: str, goal: Goal, figure: str = "accuracy") -> None:
    """Raise NasError for objectives that a supernet's gates cannot follow: they descend one loss, within bounds."""
    strange = [
        str(one)
        for one in goal.objectives[1:]
        if one.bound is None or not known_before_training(one.name) or goal.reward != "constraint"
    ]
    if goal.objectives[0].name != f"validation_{figure}":
        strange.insert(0, str(goal.objectives[0]))
    if strange:
        raise NasError(
            f"search: strategy {strategy} trains a supernet, whose gates follow the loss; --objective "
            f"{', '.join(strange)} came with --reward {goal.reward}; allowed are {figure} and bounds that are known "
            "before training, such as params<3M, with --reward constraint; a strategy that proposes takes the others"
        )
