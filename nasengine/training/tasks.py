"""What networks are trained for: classes of images, numbers, or classes of pixels; each with its loss and figures."""

from typing import Any

from nasengine.errors import RecipeError, did_you_mean
from nasengine.training.classification import Classification
from nasengine.training.regression import Regression
from nasengine.training.segmentation import Segmentation
from nasengine.training.task import Task

__all__ = ["CLASSIFICATION", "FIGURES", "TASKS", "Task", "check_recipe", "task_of"]

CLASSIFICATION = Classification()
TASKS: dict[str, Task] = {"classification": CLASSIFICATION, "regression": Regression(), "segmentation": Segmentation()}
FIGURES = {name: task.figures for name, task in TASKS.items()}


def task_of(what: Any) -> Task:
    """Return the task of a name or of a data set; that of a data set knows the units of what is to be told.

    Raises RecipeError that lists the tasks for a name that is none.
    """
    name = what if isinstance(what, str) else what.task
    if name not in TASKS:
        raise RecipeError(f'task: "{name}" came; {", ".join(TASKS)} are allowed.{did_you_mean(name, TASKS)}')
    if name == "regression" and not isinstance(what, str):
        return Regression(tuple(what.target_std))
    return TASKS[name]


def check_recipe(task: Task, recipe: Any) -> None:
    """Raise RecipeError where a recipe asks for a loss, or for weights, that the task does not have."""
    faults = []
    if recipe.loss not in ("auto", *task.losses):
        allowed = ", ".join(("auto", *task.losses))
        faults.append(f'recipe.loss: "{recipe.loss}" came; the data is for {task.name}: {allowed} are allowed')
    if recipe.class_weights != "none" and task.name == "regression":
        faults.append(f'recipe.class_weights: "{recipe.class_weights}" came; a regression has no classes: leave it out')
    if recipe.sampling != "shuffle" and task.name != "classification":
        faults.append(f'recipe.sampling: "{recipe.sampling}" came; the data is for {task.name}: leave it out')
    if faults:
        raise RecipeError("\n".join(faults))
