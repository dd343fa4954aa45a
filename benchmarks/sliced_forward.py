"""Time of a supernet's forward with an architecture, against that of the network inherited from it.

    python -m benchmarks.sliced_forward [--space metaformer] [--networks 4] [--rounds 15] [--batch 64]

One thread, pinned to one core; the two take turns within each round, and the ratio of each round counts: its median
is printed, with the tenth and the ninetieth of a hundred rounds. Run it on an idle machine.
"""

import argparse
import os
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch  # noqa: E402
from torch import Tensor  # noqa: E402

from nasengine import plugins  # noqa: E402
from nasengine.interpreters.model import Model  # noqa: E402
from nasengine.space import Architecture  # noqa: E402

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


def measure(name: str, networks: int, rounds: int, batch: int, seed: int) -> None:
    """Print a line for training and one for evaluation."""
    space = plugins.load_space(name, SPACES[name])
    torch.manual_seed(seed)
    model, images, rng = Model(space), torch.randn(batch, *space.input), random.Random(seed)
    chosen = [space.sample(rng) for _ in range(networks)]
    for training in (True, False):
        model.train(training)
        found = [ratio for one in chosen for ratio in ratios(model, one, images, rounds)]
        tenths = statistics.quantiles(found, n=10)
        middle = statistics.median(found)
        mode = "training" if training else "evaluation"
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
    torch.set_num_threads(1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(f"{'space':12} {'mode':10} {'median':>7} {'10 %':>7} {'90 %':>7}")
    for name in [chosen.space] if chosen.space else SPACES:
        measure(name, chosen.networks, chosen.rounds, chosen.batch, chosen.seed)


if __name__ == "__main__":
    main()
