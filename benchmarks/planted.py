"""How often each strategy finds the one network that can solve a task, at equal data.

    python -m benchmarks.planted [--seeds 10] [--epochs 60]

The plant is one option of four in each of four choices (nasengine.testing.planted). Random search gets as many
proposals as a search of gates takes times the training of one network, about ten: each trained as a candidate is.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from nasengine.interpreters.model import Model
from nasengine.search.relax import relax
from nasengine.search.strategy import Relaxation
from nasengine.space import Architecture, Space
from nasengine.strategies.darts import Darts
from nasengine.strategies.pr_darts import PRDarts
from nasengine.testing import planted
from nasengine.training.data import Dataset
from nasengine.training.fit import fit
from nasengine.training.recipe import recipe

IMAGES = 2048
PROPOSALS = 10
PLANT = Architecture(planted.ARCHITECTURES["plant"].picks)
RELAXATIONS: dict[str, Callable[[Space], Any]] = {
    "pr-darts code": partial(PRDarts, variant="code"),
    "pr-darts paper": partial(PRDarts, variant="paper"),
    "darts": Darts,
}


def by_gates(make: Callable[[Space], Relaxation], epochs: int, seed: int) -> Architecture:
    """What a relaxation settles on; data, weights and gates all follow the seed."""
    space, data = planted.space(), planted.dataset(train=IMAGES, seed=seed)
    torch.manual_seed(seed)
    return relax(space, make(space), data, recipe("supernet", epochs=epochs), seed=seed).architecture


def by_chance(epochs: int, seed: int) -> Architecture:
    """The best on validation images of random networks, each trained alone."""
    space, data = planted.space(), planted.dataset(train=IMAGES, seed=seed)
    scores: dict[Architecture, float] = {}
    for number in range(PROPOSALS):
        architecture = space.sample(random.Random(f"{seed}/{number}"))
        scores[architecture] = _accuracy(space, data, architecture, max(epochs // PROPOSALS, 1), seed)
    return max(scores, key=lambda architecture: scores[architecture])


def _accuracy(space: Space, data: Dataset, architecture: Architecture, epochs: int, seed: int) -> float:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Model(space, architecture)
    history = fit(model, data.train, recipe("proxy", epochs=epochs), validation=data.validation, seed=seed)
    return history[-1]["validation_accuracy"]


def hits(search: Callable[[int], Architecture], seeds: int) -> tuple[int, float]:
    """In how many of the seeds the plant was found, and the mean seconds of a search."""
    found, seconds = 0, []
    for seed in range(seeds):
        began = time.perf_counter()
        found += search(seed) == PLANT
        seconds.append(time.perf_counter() - began)
    return found, statistics.mean(seconds)


def searches(epochs: int) -> dict[str, Callable[[int], Architecture]]:
    """Every strategy as a function of the seed."""
    made: dict[str, Callable[[int], Architecture]] = {
        name: partial(by_gates, make, epochs) for name, make in RELAXATIONS.items()
    }
    return made | {"random-search": partial(by_chance, epochs)}


def main() -> None:
    """Print a table of strategies, hits and seconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=60)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{'strategy':<16} {'found the plant':>15} {'seconds':>8}")
    for name, search in searches(chosen.epochs).items():
        found, seconds = hits(search, chosen.seeds)
        print(f"{name:<16} {f'{found} of {chosen.seeds}':>15} {seconds:>8.1f}", flush=True)


if __name__ == "__main__":
    main()
