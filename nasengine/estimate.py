"""What a plan will take, before it begins: memory found on the meta device, time from a few real steps."""

import random
import time
from dataclasses import dataclass, replace

import torch

from nasengine import plugins
from nasengine.errors import TrainingError
from nasengine.interpreters.memory import training_memory
from nasengine.interpreters.model import Model
from nasengine.planned import Plan
from nasengine.search.room import slots, step_memory
from nasengine.search.turns import Turns
from nasengine.space import Architecture
from nasengine.training.data import Split
from nasengine.training.fidelity import reduced
from nasengine.training.fit import fit, pick_device
from nasengine.training.metrics import Meter
from nasengine.training.recipe import Recipe
from nasengine.training.tasks import task_of

STEPS = 2  # that are timed, after one that is not


@dataclass(frozen=True)
class Phase:
    """One part of a search: how often it goes through how many steps, its seconds and bytes."""

    name: str
    times: int
    epochs: int
    steps: int
    seconds: float
    bytes: int


def phases(plan: Plan) -> list[Phase]:
    """The parts of a plan. Times are those of two steps on this machine now, extrapolated; networks are sampled.

    Workers are taken to be as fast side by side as one is alone; nothing is taken to be stopped early.
    """
    if plan.is_sampler:
        return [_supernet(plan)]
    found = _supernet(plan) if plan.is_gradient else _candidates(plan) if plan.evaluator == "train" else _scored(plan)
    return [found, *([_training(plan, "final", plan.final, 1)] if plan.final_by == "train" else [])]


def _candidates(plan: Plan) -> Phase:
    """The candidates at their fidelity, dealt out to the workers."""
    data = reduced(plan.data, plan.fidelity, plan.seed)
    space = plugins.load_space(plan.space_name, plan.settings_of(final=False))
    recipe = replace(plan.candidate, epochs=plan.candidate_epochs, warmup=0)
    one = _training(replace(plan, dataset=data, space=space), "candidates", recipe, plan.trials)
    return replace(one, seconds=one.seconds / min(plan.workers, plan.trials))


def _scored(plan: Plan) -> Phase:
    """Candidates that are measured without a training: the second of two that are measured now is timed."""
    evaluate = plugins.load("evaluator", plan.evaluator).evaluate
    space = plugins.load_space(plan.space_name, plan.settings_of(final=False))
    for number in (0, 1):
        architecture = plan.space.sample(random.Random(number))
        began = time.perf_counter()
        result = evaluate(plan.job(number, architecture), space, plan.data)
        seconds = time.perf_counter() - began
        if result.error:
            raise TrainingError(f"evaluator {plan.evaluator}: {result.error}")
    memory = training_memory(space, architecture, plan.candidate.batch, 0).total
    return Phase("candidates", plan.trials, 1, 1, seconds * plan.trials / min(plan.workers, plan.trials), memory)


def _supernet(plan: Plan) -> Phase:
    assert plan.supernet_space is not None and plan.supernet is not None
    recipe, device = plan.supernet, pick_device("auto")
    with torch.random.fork_rng():
        turns = Turns(plan.supernet_space, plan.strategy(), plan.data, recipe, plan.seed, device)
    batch = plan.data.train.images[: recipe.batch].to(device), plan.data.train.labels[: recipe.batch].to(device)
    turns.model.train()
    turns.step(batch, (Meter(turns.task), Meter(turns.task)))
    began = time.perf_counter()
    for _ in range(STEPS):
        turns.step(batch, (Meter(turns.task), Meter(turns.task)))
    seconds = (time.perf_counter() - began) / STEPS
    memory = step_memory(plan.supernet_space, turns.relaxation, recipe, recipe.batch)
    return Phase("supernet", 1, recipe.epochs, turns.steps, seconds * turns.steps * recipe.epochs, memory.total)


def _training(plan: Plan, name: str, recipe: Recipe, times: int) -> Phase:
    architecture: Architecture = plan.space.sample(random.Random(plan.seed))
    images = plan.data.development if name == "final" else plan.data.train
    steps = max(len(images) // recipe.batch, 1)
    with torch.random.fork_rng():
        model = Model(plan.space, architecture)
    few = Split(images.images[: recipe.batch * STEPS], images.labels[: recipe.batch * STEPS])
    short = replace(recipe, epochs=2, warmup=0)
    last = fit(model, few, short, device="auto", task=task_of(plan.data))[-1]
    seconds = last["seconds"] / max(len(few) / recipe.batch, 1)
    memory = training_memory(plan.space, architecture, recipe.batch, slots(recipe))
    return Phase(name, times, recipe.epochs, steps, seconds * steps * recipe.epochs * times, memory.total)
