"""Time of a supernet search step on a GPU, with CUDA graphs: against the plain loop, and against without them.

    python -m benchmarks.supernet_gpu

Both sides compute in the same precision, and cuDNN looks for its quickest kernels for both, as published code has it.
"""

from collections.abc import Callable, Iterator

import torch

from benchmarks.measure import Measured, interleaved, quiet_process, repeat, show
from benchmarks.supernet_step import Setting, Step, engine_step, plain_step

STEPS = 10  # in a round
SETTING = Setting(16, 8, (3, 32, 32), batch=64, batches=100)  # of the search network of DARTS
PRECISIONS = {"float32": "", "bfloat16": ", bfloat16"}


def measurements(rounds: int = 7) -> Iterator[Measured]:
    """Our step by each of its peers, in both precisions; nothing where there is no CUDA device."""
    if not torch.cuda.is_available():
        return
    torch.backends.cudnn.benchmark = True
    for precision, words in PRECISIONS.items():
        ours = waited_for(engine_step("darts", SETTING, "cuda", precision=precision))
        peers = {
            "plain loop": (plain_step("darts", SETTING, "cuda", precision), 5.0),
            "without CUDA graphs": (engine_step("darts", SETTING, "cuda", graphs=False, precision=precision), 1.2),
        }
        for peer, (slow, goal) in peers.items():
            name = f"supernet step on a GPU, darts, cifar{words}, {peer}"
            yield Measured(name, *interleaved(waited_for(slow), ours, rounds), goal, peer)


def waited_for(step: Step) -> Callable[[], None]:
    """Some steps, and the wait for their end."""

    def steps() -> None:
        repeat(step, STEPS)
        torch.cuda.synchronize()

    return steps


def main() -> None:
    """Measure and print."""
    quiet_process()
    if torch.cuda.is_available():
        show(measurements())
    else:
        print("no CUDA device: a supernet step on a GPU cannot be measured here")


if __name__ == "__main__":
    main()
