"""Time of a supernet's forward with an architecture, against that of the network inherited from it.

    python -m benchmarks.sliced_forward [--space metaformer] [--networks 4] [--rounds 15] [--batch 64]

One thread, pinned to one core; the two take turns within each round, and the ratio of each round counts: its median
is printed, with the tenth and the ninetieth of a hundred rounds. Run it on an idle machine.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from benchmarks.measure import Measured, median_and_spread, quiet_process
from nasengine import plugins
from nasengine.interpreters.model import Model
from nasengine.space import Architecture

SPACES: dict[str, dict[str, Any]] = {
    "metaformer": {"input": (3, 32, 32)},
    "mobile": {"input": (3, 32, 32), "classes": 10},
}
TARGET = 1.15
Forward = Callable[[], Tensor]


def seconds(forward: Forward, training: bool) -> float:
    """Processor time of one forward; in training it is recorded for a backward, which is not taken."""
    with torch.set_grad_enabled(training):
        began = time.process_time()
        forward()
        return time.process_time() - began


def ratios(model: Model, architecture: Architecture, images: Tensor, rounds: int) -> list[float]:
    """Supernet by child, round by round; each goes first in every second round."""
    child = model.inherit(architecture)
    both: tuple[Forward, Forward] = (lambda: model(images, architecture)), (lambda: child(images))
    for _ in range(2):
        for forward in both:
            seconds(forward, model.training)
    found = []
    for number in range(rounds):
        order = (0, 1) if number % 2 else (1, 0)
        times = {i: seconds(both[i], model.training) for i in order}
        found.append(times[0] / times[1])
    return found


def compared(name: str, networks: int, rounds: int, batch: int, seed: int) -> Iterator[tuple[str, list[float]]]:
    """All ratios of a space, in training and in evaluation."""
    space = plugins.load_space(name, SPACES[name])
    torch.manual_seed(seed)
    model, images, rng = Model(space), torch.randn(batch, *space.input), random.Random(seed)
    chosen = [space.sample(rng) for _ in range(networks)]
    for mode in ("training", "evaluation"):
        model.train(mode == "training")
        yield mode, [ratio for one in chosen for ratio in ratios(model, one, images, rounds)]


def measurements(rounds: int = 7) -> Iterator[Measured]:
    """How much longer a supernet takes than the network that is cut out of it."""
    for name in SPACES:
        for mode, found in compared(name, 2, rounds, 64, 0):
            words = f"forward in place, {name}, {mode}"
            yield Measured(words, *median_and_spread(found), TARGET, "the inherited network", at_most=True)


def measure(name: str, networks: int, rounds: int, batch: int, seed: int) -> None:
    """Print a line for training and one for evaluation."""
    for mode, found in compared(name, networks, rounds, batch, seed):
        tenths, middle = statistics.quantiles(found, n=10), statistics.median(found)
        verdict = "" if middle <= TARGET else f"  above {TARGET}"
        print(f"{name:12} {mode:10} {middle:7.3f} {tenths[0]:7.3f} {tenths[-1]:7.3f}{verdict}", flush=True)


def main() -> None:
    """Compare on every space, or on the one that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--space", choices=SPACES)
    parser.add_argument("--networks", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    quiet_process()
    print(f"{'space':12} {'mode':10} {'median':>7} {'10 %':>7} {'90 %':>7}")
    for name in [chosen.space] if chosen.space else SPACES:
        measure(name, chosen.networks, chosen.rounds, chosen.batch, chosen.seed)


if __name__ == "__main__":
    main()
