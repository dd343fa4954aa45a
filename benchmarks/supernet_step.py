"""Time of one supernet search step, gates then weights, against the plain loop of `plain_supernet`.

    python -m benchmarks.supernet_step [--setting digits] [--rounds 7]

One thread, pinned to one core; the two variants take turns within each round, and the ratio of each round counts:
its median is printed, with the spread of the rounds. Run it on an idle machine; above a spread of 1.5 run it again.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from benchmarks.plain_supernet import PlainSupernet  # noqa: E402
from nasengine import plugins  # noqa: E402
from nasengine.search.turns import Turns  # noqa: E402
from nasengine.training.data import Dataset, Split  # noqa: E402
from nasengine.training.metrics import Meter  # noqa: E402
from nasengine.training.recipe import recipe  # noqa: E402

Step = Callable[[], None]
LR, DECAY, CLIP = 0.025, 3e-4, 5.0  # of the weights' SGD, as published


@dataclass(frozen=True)
class Setting:
    """Sizes of one comparison; PR-DARTS' search network has a last norm and none after its pools."""

    channels: int
    layers: int
    image: tuple[int, int, int]
    batch: int


SETTINGS = {
    "cifar": {"darts": Setting(16, 8, (3, 32, 32), 16), "pr-darts": Setting(16, 6, (3, 32, 32), 16)},
    "digits": {"darts": Setting(8, 5, (1, 8, 8), 64), "pr-darts": Setting(8, 6, (1, 8, 8), 64)},
}


def images(setting: Setting, seed: int) -> Split:
    """One batch of noise."""
    generator = torch.Generator().manual_seed(seed)
    pictures = torch.randn(setting.batch, *setting.image, generator=generator)
    return Split(pictures, torch.randint(10, (setting.batch,), generator=generator))


def engine_step(strategy: str, setting: Setting) -> Step:
    """The engine's own step: what `nasengine search` runs."""
    sampled = strategy == "pr-darts"
    settings = {"input": setting.image, "channels": setting.channels, "layers": setting.layers}
    norms = {"affine": False, "track": not sampled, "pool_norm": not sampled, "last_norm": sampled, "drop_path": False}
    space = plugins.load_space("darts", settings | norms)
    batch, other = images(setting, 0), images(setting, 1)
    both = Split(torch.cat([batch.images, other.images]), torch.cat([batch.labels, other.labels]))
    dataset = Dataset("noise", both, both, both, setting.image, 10, "noise", (), (), ())
    torch.manual_seed(0)
    relaxation = plugins.load_strategy(strategy, space)
    chosen = recipe("supernet", batch=setting.batch, optimizer="sgd", lr=LR, weight_decay=DECAY, clip=CLIP)
    turns = Turns(space, relaxation, dataset, chosen, 0, torch.device("cpu"))
    turns.model.train()
    return lambda: turns.step((batch.images, batch.labels), (Meter(), Meter()))


def plain_step(strategy: str, setting: Setting) -> Step:
    """The same search step as a plain loop: both losses go back to everything, as in the papers' own code."""
    sampled = strategy == "pr-darts"
    torch.manual_seed(0)
    model = PlainSupernet(
        setting.channels, setting.layers, setting.image[0], track=not sampled, pool_norm=not sampled, last_norm=sampled
    )
    alphas = [(1e-3 * torch.randn(14, 8)).requires_grad_() for _ in range(2)]
    weights = torch.optim.SGD(model.parameters(), LR, 0.9, weight_decay=DECAY)
    gates = torch.optim.Adam(alphas, 3e-4, (0.5, 0.999), weight_decay=1e-3)
    batches = images(setting, 0), images(setting, 1)

    def loss_of(batch: Split) -> Tensor:
        drawn, on = _drawn(alphas) if sampled else ([alpha.softmax(1) for alpha in alphas], None)
        return nn.functional.cross_entropy(model(batch.images, drawn, on), batch.labels)

    def step() -> None:
        for optimizer, batch in ((gates, batches[1]), (weights, batches[0])):
            optimizer.zero_grad()
            loss_of(batch).backward()
            if optimizer is weights:
                nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            optimizer.step()

    return step


def _drawn(alphas: list[Tensor]) -> tuple[list[Tensor], list[list[list[bool]]]]:
    """PR-DARTS' draw: per edge the two strongest gates are one, straight through, and the others are not run."""
    gates, on = [], []
    for alpha in alphas:
        noise = torch.rand_like(alpha)
        soft = ((alpha + noise.log() - (1 - noise).log()).sigmoid() * 1.2 - 0.1).clamp(0, 1)
        strongest = torch.zeros_like(soft).scatter(1, soft.topk(2, dim=1).indices, 1.0)
        gates.append(strongest - soft.detach() + soft)
        on.append(strongest.bool().tolist())
    return gates, on


def seconds(step: Step) -> float:
    """Wall time of one step."""
    began = time.perf_counter()
    step()
    return time.perf_counter() - began


def compare(strategy: str, setting: Setting, rounds: int) -> tuple[float, float, float, float]:
    """Median seconds of plain and engine, the median of the rounds' ratios, and their spread (largest / smallest)."""
    plain, engine = plain_step(strategy, setting), engine_step(strategy, setting)
    seconds(plain), seconds(engine)
    times = [(seconds(plain), seconds(engine)) for _ in range(rounds)]
    ratios = [slow / fast for slow, fast in times]
    slow, fast = (statistics.median(column) for column in zip(*times, strict=True))
    return slow, fast, statistics.median(ratios), max(ratios) / min(ratios)


def main() -> None:
    """Print one line a comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--setting", choices=[*SETTINGS, "all"], default="all")
    parser.add_argument("--rounds", type=int, default=7)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(f"{'setting':8} {'strategy':10} {'plain ms':>9} {'engine ms':>9} {'ratio':>6} {'spread':>6}")
    for name, strategies in SETTINGS.items():
        for strategy, setting in strategies.items():
            if chosen.setting in (name, "all"):
                slow, fast, ratio, spread = compare(strategy, setting, chosen.rounds)
                print(f"{name:8} {strategy:10} {slow * 1e3:9.0f} {fast * 1e3:9.0f} {ratio:6.2f} {spread:6.2f}")


if __name__ == "__main__":
    main()
