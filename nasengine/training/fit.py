"""Training one model with one recipe: the same numbers for the same seed, interrupted or not."""

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import torch
from torch import nn

from nasengine.errors import TrainingError
from nasengine.training.checkpoint import Saver
from nasengine.training.data import Split
from nasengine.training.loop import Training
from nasengine.training.metrics import evaluate
from nasengine.training.recipe import Recipe
from nasengine.training.tasks import CLASSIFICATION, Task

__all__ = ["StopTraining", "evaluate", "fit", "pick_device"]


class StopTraining(Exception):
    """Raised by an `on_epoch` to end a training early; `fit` then returns what there is."""


def fit(
    model: nn.Module,
    train: Split,
    recipe: Recipe,
    *,
    validation: Split | None = None,
    seed: int = 0,
    device: str = "cpu",
    checkpoint: Path | None = None,
    micro_batch: int | None = None,
    on_epoch: Callable[[dict[str, float]], None] = lambda record: None,
    task: Task = CLASSIFICATION,
) -> list[dict[str, float]]:
    """Train a model in place and return one record per epoch.

    A record holds epoch (from 1), train_loss, train_accuracy, lr (at the epoch's end), seconds and, with validation
    images, validation_loss, validation_accuracy and the other figures that `evaluate` gives; a `task` other than
    classification has figures of its own. `device` may be "auto": a GPU where there is one. The model stays
    on the device, its weights in channels-last order. After each epoch `on_epoch` is called, and before it, at times
    that `Saver` chooses and in the end, `checkpoint` is written; where the file is there already, training goes on from
    it to the same numbers, after `on_epoch` heard its last epoch again: the first time its answer may have been lost.
    Shuffling, augmentation and the model's own draws follow the seed alone and leave torch's global generators as they
    were.
    Modules with `set_drop_rate(rate)` get recipe.drop_path, risen linearly from 0; a model with `forward_with_asides`
    gets recipe.auxiliary times the loss of each aside. Raises TrainingError where the loss is no finite number.
    `micro_batch` is how many images go through the network at once; the gradients of recipe.batch of them still make
    one step, the same step up to rounding. But batch norm then takes its statistics from each micro-batch, and a
    model that draws (drop path) draws for each; a training may go on from a checkpoint with another micro-batch.
    On the CPU the process keeps freed memory from then on, for its next steps: see `keep_freed_memory`.
    """
    place = pick_device(device)
    checked = validation.to(place) if validation is not None else None
    with _own_draws(seed, place):
        run = Training(model, train.to(place), recipe, seed, place, micro_batch, task)
        if checkpoint is not None:
            run.restore(checkpoint)
        saver = Saver(partial(run.save, checkpoint) if checkpoint is not None else lambda: None)
        with contextlib.suppress(StopTraining):
            if 0 < len(run.history) < recipe.epochs:
                on_epoch(dict(run.history[-1]))
            for _ in range(len(run.history), recipe.epochs):
                run.epoch(checked)
                saver.epoch_done(partial(on_epoch, dict(run.history[-1])))
            saver.save()
    return run.history


def pick_device(name: str) -> torch.device:
    """Return the device of a name; "auto" is a GPU where there is one."""
    if name == "auto":
        return torch.device("cuda", torch.cuda.current_device()) if torch.cuda.is_available() else torch.device("cpu")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise TrainingError(f'device: "{name}" came, and torch sees no GPU here; "cpu" or "auto" is allowed')
    return torch.device(name)


@contextlib.contextmanager
def _own_draws(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's global generators for what modules draw themselves, and put their states back afterwards."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.default_generator.manual_seed(seed)
        if device.type == "cuda":
            torch.cuda.manual_seed(seed)
        yield
