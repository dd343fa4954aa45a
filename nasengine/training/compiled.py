"""`torch.compile` for a training, where it pays back before the training ends."""

import logging
from collections.abc import Callable
from typing import Any

import torch

from nasengine.training.memory import is_out_of_memory
from nasengine.training.recipe import Recipe

SECONDS = 150.0  # that compiling is taken to last: 100 to 150 for networks of 5 to 8 cells on one CPU core
GAIN = 1.1  # that a compiled step is taken to be faster: 1.04 to 1.15 on a CPU
MARGIN = 2.0  # times that it must pay back, for both are guesses
_log = logging.getLogger("nasengine.training")

Forward = Callable[[Any], Any]


def pays(recipe: Recipe, history: list[dict[str, float]]) -> bool:
    """Say whether to compile, by recipe.compile and, under "auto", by how long the first epoch took.

    What is left after it must bring back what compiling takes: with the figures above, nothing below an hour does, so
    no short training ever waits. Where paths are dropped each epoch has a rate of its own, for which all would be
    compiled anew: that never pays. The first epoch decides, so that a training which goes on from a checkpoint, where
    that epoch is recorded, decides the same again.
    """
    if recipe.compile != "auto" or not history:
        return recipe.compile == "always"
    left = history[0]["seconds"] * (recipe.epochs - 1)
    return not recipe.drop_path and left * (1 - 1 / GAIN) > MARGIN * SECONDS


def compiled(forward: Forward) -> Forward:
    """Return a forward pass that compiles itself when first called; the plain one serves where that fails.

    Results are the same up to rounding, draws included. Where there is no compiler, or torch cannot compile the
    network, the logger `nasengine.training` says so, and the training goes on.
    """
    run: Forward = torch.compile(forward, dynamic=False, options={"fallback_random": True})

    def call(images: Any) -> Any:
        nonlocal run
        try:
            return run(images)
        except Exception as error:
            if run is forward or is_out_of_memory(error):
                raise
            _log.warning("training: not compiled, %s; it goes on as it was", str(error).partition("\n")[0])
            run = forward
            return run(images)

    return call
