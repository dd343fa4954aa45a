"""Time of a supernet's forward with an architecture, against that of the network inherited from it.

    python -m benchmarks.sliced_forward

Processor time at batch 64. In training the forward is recorded for a backward, which is not taken. Networks differ:
each has a ratio of its own, and the figure is that of the median one.
"""

import random
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor

from benchmarks.measure import Measured, interleaved, quiet_process, show
from nasengine import plugins
from nasengine.interpreters.model import Model
from nasengine.space import Architecture

SPACES: dict[str, dict[str, Any]] = {
    "metaformer": {"input": (3, 32, 32)},
    "mobile": {"input": (3, 32, 32), "classes": 10},
}
BATCH = 64
NETWORKS = 3  # an odd number
TARGET = 1.15


def compared(model: Model, architecture: Architecture, images: Tensor, rounds: int) -> tuple[float, float]:
    """Supernet by child: the ratio and its spread."""
    child = model.inherit(architecture)
    with torch.set_grad_enabled(model.training):
        in_place, inherited = partial(model, images, architecture), partial(child, images)
        return interleaved(in_place, inherited, rounds, time.process_time)


def measurements(rounds: int = 7) -> Iterator[Measured]:
    """How much longer a supernet takes than the network that is cut out of it."""
    for name, settings in SPACES.items():
        space, rng = plugins.load_space(name, settings), random.Random(0)
        torch.manual_seed(0)
        model, images = Model(space), torch.randn(BATCH, *space.input)
        networks = [space.sample(rng) for _ in range(NETWORKS)]
        for mode in ("training", "evaluation"):
            model.train(mode == "training")
            ratio, spread = sorted(compared(model, one, images, rounds) for one in networks)[NETWORKS // 2]
            words = f"forward in place, {name}, {mode}"
            yield Measured(words, ratio, spread, TARGET, "the inherited network", at_most=True)


def main() -> None:
    """Measure and print."""
    quiet_process()
    show(measurements())


if __name__ == "__main__":
    main()
