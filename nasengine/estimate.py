"""What a plan will take, before it begins: memory found on the meta device, time from a few real steps."""

import random
import time
from dataclasses import dataclass, replace

import torch

from nasengine.interpreters.memory import training_memory
from nasengine.interpreters.model import Model
from nasengine.plan import Plan
from nasengine.search.room import SLOTS, step_memory
from nasengine.search.turns import Turns
from nasengine.space import Architecture
from nasengine.training.data import Split
from nasengine.training.fit import fit, pick_device
from nasengine.training.metrics import Meter
from nasengine.training.recipe import Recipe

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
    """The parts of a plan. Times are those of two steps on this machine now, extrapolated; networks are sampled."""
    found = [_supernet(plan)] if plan.is_gradient else [_training(plan, "candidates", plan.candidate, plan.trials)]
    return [*found, _training(plan, "final", plan.final, 1)]


def _supernet(plan: Plan) -> Phase:
    assert plan.supernet_space is not None and plan.supernet is not None
    recipe, device = plan.supernet, pick_device("auto")
    with torch.random.fork_rng():
        turns = Turns(plan.supernet_space, plan.strategy(), plan.data, recipe, plan.seed, device)
    batch = plan.data.train.images[: recipe.batch].to(device), plan.data.train.labels[: recipe.batch].to(device)
    turns.model.train()
    turns.step(batch, (Meter(), Meter()))
    began = time.perf_counter()
    for _ in range(STEPS):
        turns.step(batch, (Meter(), Meter()))
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
    seconds = fit(model, few, short, device="auto")[-1]["seconds"] / max(len(few) / recipe.batch, 1)
    memory = training_memory(plan.space, architecture, recipe.batch, SLOTS[recipe.optimizer])
    return Phase(name, times, recipe.epochs, steps, seconds * steps * recipe.epochs * times, memory.total)
