"""Time of one supernet search step, gates then weights, against the plain loop of `plain_supernet`.

python -m benchmarks.supernet_step
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from benchmarks.measure import Measured, interleaved, quiet_process, repeat, show
from benchmarks.plain_supernet import NORMS, PlainSupernet
from nasengine import plugins
from nasengine.search.turns import Turns
from nasengine.training.data import Dataset, Split
from nasengine.training.metrics import Meter
from nasengine.training.recipe import recipe

Step = Callable[[], None]
LR, DECAY, CLIP = 0.025, 3e-4, 5.0  # of the weights' SGD, as published


@dataclass(frozen=True)
class Setting:
    """Sizes of one comparison; `batches` there are for each half of a step, shuffled anew when all were seen."""

    channels: int
    layers: int
    image: tuple[int, int, int]
    batch: int
    batches: int = 1


SETTINGS = {
    "digits": {"darts": Setting(8, 5, (1, 8, 8), 64), "pr-darts": Setting(8, 6, (1, 8, 8), 64)},
    "cifar": {"darts": Setting(16, 8, (3, 32, 32), 16), "pr-darts": Setting(16, 6, (3, 32, 32), 16)},
}
GOALS = {
    ("cifar", "darts"): 3.3,
    ("cifar", "pr-darts"): 2.5,
    ("digits", "darts"): 3.8,
    ("digits", "pr-darts"): 2.3,
}
# steps in a round: draws of gates differ in what they cost
DRAWS = {("cifar", "darts"): 1, ("cifar", "pr-darts"): 3, ("digits", "darts"): 5, ("digits", "pr-darts"): 8}


def images(setting: Setting, seed: int) -> Split:
    """Noise for one half of a step."""
    generator, count = torch.Generator().manual_seed(seed), setting.batch * setting.batches
    pictures = torch.randn(count, *setting.image, generator=generator)
    return Split(pictures, torch.randint(10, (count,), generator=generator))


def engine_step(
    strategy: str, setting: Setting, device: str = "cpu", graphs: bool = True, precision: str = "float32"
) -> Step:
    """The engine's own step: what `nasengine search` runs; RuntimeError where it has no CUDA graphs and should."""
    settings = {"input": setting.image, "channels": setting.channels, "layers": setting.layers}
    space = plugins.load_space("darts", settings | {"affine": False, "drop_path": False} | NORMS[strategy])
    first, other = images(setting, 0), images(setting, 1)
    both = Split(torch.cat([first.images, other.images]), torch.cat([first.labels, other.labels]))
    dataset = Dataset("noise", both, both, both, setting.image, 10, "noise", (), (), ())
    torch.manual_seed(0)
    relaxation = plugins.load_strategy(strategy, space)
    chosen = recipe(
        "supernet", batch=setting.batch, optimizer="sgd", lr=LR, weight_decay=DECAY, clip=CLIP, precision=precision
    )
    turns = Turns(space, relaxation, dataset, chosen, 0, torch.device(device))
    turns.model.train()
    if not graphs:
        turns.graphs = None
    batch = first.images[: setting.batch].to(device), first.labels[: setting.batch].to(device)

    def step() -> None:
        turns.step(batch, (Meter(), Meter()))
        if graphs and device == "cuda" and (turns.graphs is None or turns.graphs.failed):
            raise RuntimeError("supernet step: it could not be recorded as CUDA graphs; nothing else is measured here")

    return step


def plain_step(strategy: str, setting: Setting, device: str = "cpu", precision: str = "float32") -> Step:
    """The same search step as a plain loop: both losses go back to everything, as in the papers' own code."""
    sampled = strategy == "pr-darts"
    torch.manual_seed(0)
    model = PlainSupernet(setting.channels, setting.layers, setting.image[0], **NORMS[strategy]).to(device)
    alphas = [(1e-3 * torch.randn(14, 8)).to(device).requires_grad_() for _ in range(2)]
    weights = torch.optim.SGD(model.parameters(), LR, 0.9, weight_decay=DECAY)
    gates = torch.optim.Adam(alphas, 3e-4, (0.5, 0.999), weight_decay=1e-3)
    batches = [images(setting, seed).to(device) for seed in (0, 1)]

    def loss_of(batch: Split) -> Tensor:
        with torch.autocast(device, torch.bfloat16, enabled=precision == "bfloat16"):
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


def measurements(rounds: int = 7) -> Iterator[Measured]:
    """A step of the engine against the plain loop for each strategy and setting, with native kernels and without."""
    native = os.environ.get("NASENGINE_NATIVE", "1")
    for setting, strategies in SETTINGS.items():
        for strategy, sizes in strategies.items():
            plain, engine = plain_step(strategy, sizes), engine_step(strategy, sizes)
            for words, chosen in (("", native), (", without native kernels", "0")):
                os.environ["NASENGINE_NATIVE"] = chosen
                times = DRAWS[setting, strategy]
                ratio, spread = interleaved(partial(repeat, plain, times), partial(repeat, engine, times), rounds)
                name = f"supernet step, {strategy}, {setting}{words}"
                yield Measured(name, ratio, spread, GOALS[setting, strategy], "plain loop over edges and operations")
            os.environ["NASENGINE_NATIVE"] = native


def main() -> None:
    """Measure and print."""
    quiet_process()
    show(measurements())


if __name__ == "__main__":
    main()
