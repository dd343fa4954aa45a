"""Memory that a supernet's search step takes above the built model, against the plain loop; each in its own process.

python -m benchmarks.supernet_memory
"""

import resource
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.measure import Measured, quiet_process, repeated, show

STEPS = 2


def measurements(rounds: int = 3) -> Iterator[Measured]:
    """Our peak above the built model by the plain loop's, at C=16, 8 cells, 32x32, batch 16."""
    ratio, spread = repeated(lambda: in_a_process("engine") / in_a_process("plain"), rounds)
    yield Measured("supernet memory, darts, cifar", ratio, spread, 0.6, "plain loop", at_most=True)


def in_a_process(which: str) -> float:
    """MiB between the built model and the peak of its steps, in a fresh process."""
    done = subprocess.run([sys.executable, "-m", __spec__.name, which], capture_output=True, text=True, check=True)
    return float(done.stdout)


def taken(which: str) -> float:
    """The same in this process."""
    from benchmarks.supernet_step import SETTINGS, engine_step, plain_step

    setting = SETTINGS["cifar"]["darts"]
    step = plain_step("darts", setting) if which == "plain" else engine_step("darts", setting)
    built = peak()
    for _ in range(STEPS):
        step()
    return peak() - built


def peak() -> float:
    """The most that this process has held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def main() -> None:
    """Measure and print; with a word, the MiB of that one alone."""
    quiet_process()
    if len(sys.argv) == 2:
        print(taken(sys.argv[1]))
    else:
        show(measurements())


if __name__ == "__main__":
    main()
