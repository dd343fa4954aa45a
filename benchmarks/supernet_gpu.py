"""Time of a supernet search step on a GPU: with CUDA graphs against without.

python -m benchmarks.supernet_gpu
"""

from collections.abc import Callable, Iterator

import torch

from benchmarks.measure import Measured, interleaved, show
from nasengine import plugins
from nasengine.search.turns import Turns
from nasengine.training.data import Dataset, Split
from nasengine.training.metrics import Meter
from nasengine.training.recipe import recipe

STEPS = 10  # in a round
BATCH, IMAGE = 64, (3, 32, 32)  # of the search network of DARTS, 8 cells of 16 channels
GOAL = 1.2


def figures(rounds: int = 7, device: str = "cuda") -> Iterator[Measured]:
    """One figure; none where there is no CUDA device."""
    if device == "cuda" and not torch.cuda.is_available():
        return
    ratio, spread = interleaved(search(device, False), search(device, True), rounds)
    yield Measured("supernet step on a GPU, darts, cifar", ratio, spread, GOAL, "the same step without CUDA graphs")


def search(device: str, with_graphs: bool) -> Callable[[], None]:
    """Some steps of a search, waited for."""
    space = plugins.load_space("darts", {"affine": False, "pool_norm": True, "drop_path": False, "input": IMAGE})
    split = Split(torch.randn(2 * BATCH, *IMAGE), torch.randint(10, (2 * BATCH,)))
    dataset = Dataset("noise", split, split, split, IMAGE, 10, "noise", (), (), ())
    chosen = recipe("supernet", batch=BATCH, optimizer="sgd", lr=0.025, clip=5.0)
    turns = Turns(space, plugins.load_strategy("darts", space), dataset, chosen, 0, torch.device(device))
    turns.model.train()
    if not with_graphs:
        turns.graphs = None
    batch = (turns.for_weights.images, turns.for_weights.labels)

    def steps() -> None:
        meters = Meter(), Meter()
        for _ in range(STEPS):
            turns.step(batch, meters)
        torch.stack(meters[1].losses).cpu()

    return steps


if __name__ == "__main__":
    if torch.cuda.is_available():
        show(figures())
    else:
        print("no CUDA device: a supernet step on a GPU cannot be measured here")
