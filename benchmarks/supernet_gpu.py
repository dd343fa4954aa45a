"""Time of a supernet search step on a GPU, with CUDA graphs: against the plain loop, and against without them.

python -m benchmarks.supernet_gpu
"""

from collections.abc import Callable, Iterator

import torch

from benchmarks.measure import Measured, interleaved, show
from benchmarks.supernet_step import Setting, plain_step
from nasengine import plugins
from nasengine.search.turns import Turns
from nasengine.training.data import Dataset, Split
from nasengine.training.metrics import Meter
from nasengine.training.recipe import recipe

STEPS = 10  # in a round
BATCH, IMAGE = 64, (3, 32, 32)  # of the search network of DARTS, 8 cells of 16 channels


def measurements(rounds: int = 7, device: str = "cuda") -> Iterator[Measured]:
    """Against the plain loop, and against our own step without graphs; nothing where there is no CUDA device."""
    if device == "cuda" and not torch.cuda.is_available():
        return
    name, ours = "supernet step on a GPU, darts, cifar", search(device, True)
    peers = {
        "plain loop over edges and operations": (plain(device), 5.0),
        "without CUDA graphs": (search(device, False), 1.2),
    }
    for peer, (slow, goal) in peers.items():
        yield Measured(f"{name}, against {peer.split()[0]}", *interleaved(slow, ours, rounds), goal, peer)


def plain(device: str) -> Callable[[], None]:
    """Some steps of the plain loop, waited for."""
    step = plain_step("darts", Setting(16, 8, IMAGE, BATCH), device)

    def steps() -> None:
        for _ in range(STEPS):
            step()
        if device == "cuda":
            torch.cuda.synchronize()

    return steps


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
        show(measurements())
    else:
        print("no CUDA device: a supernet step on a GPU cannot be measured here")
