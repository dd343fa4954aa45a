"""The engine at rest: what an import and the command's help take, and what a candidate costs to count.

    python -m benchmarks.engine

Seconds are those of whole processes by the clock, from start to end; memory is the most that such a process held.
All modules are there compiled, as after an installation by pip and a first call. Candidates are new each time, their
space is warm.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial

from benchmarks.measure import BUDGET, Measured, quiet_process, repeated, seconds, show
from nasengine.plugins import load_space
from nasengine.space import Space

SPACES = ("darts", "nasbench201", "metaformer", "nasnet", "nasbench101")
CANDIDATES = 200  # of a round
HELPS = (("--help",), ("search", "--help"), ("strategies",))
# asked of the process itself: what the kernel tells its parent counts what the parent held before the child began
HIGH_WATER = "print([line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')][0])"


# where Python keeps no compiled modules, as in many containers, a process would compile some thousands of lines first
compiled = tempfile.TemporaryDirectory()


def run(*words: str) -> float:
    """The seconds of a whole Python process; the first one compiles what it imports."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": compiled.name}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    began = time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, capture_output=True, env=environment)
    return time.perf_counter() - began


def mebibytes(module: str) -> float:
    """The most memory that a process holds which imports a module and does nothing more."""
    command = [sys.executable, "-c", f"import {module}; {HIGH_WATER}"]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout) / 1024


def cost_milliseconds(space: Space, rng: random.Random) -> float:
    """The mean time that the cost of a new candidate takes."""
    from nasengine.interpreters.cost import cost

    candidates = [space.sample(rng) for _ in range(CANDIDATES)]
    return 1e3 / CANDIDATES * seconds(lambda: [cost(space, one) for one in candidates])


def measurements(rounds: int = 7) -> Iterator[Measured]:
    """Each figure as soon as it is known."""
    taken = repeated(partial(run, "-c", "import nasengine"), rounds)
    yield Measured("import nasengine", *taken, 0.15, BUDGET, at_most=True, unit="s")
    held = repeated(partial(mebibytes, "nasengine"), rounds)
    yield Measured("memory of import nasengine", *held, 50, BUDGET, at_most=True, unit="MiB")
    for words in HELPS:
        taken = repeated(partial(run, "-m", "nasengine.cli", *words), rounds)
        yield Measured(f"nasengine {' '.join(words)}", *taken, 0.4, BUDGET, at_most=True, unit="s")
    for name in SPACES:
        taken = repeated(partial(cost_milliseconds, load_space(name), random.Random(0)), rounds)
        yield Measured(f"cost of a candidate, {name}", *taken, 1, BUDGET, at_most=True, unit="ms")


def main() -> None:
    """Measure and print."""
    quiet_process()
    show(measurements())


if __name__ == "__main__":
    main()
