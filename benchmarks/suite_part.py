"""One benchmark of the suite in a process of its own, which hands its figures over as lines of JSON.

python -m benchmarks.suite_part benchmarks.supernet_step [--rounds 3]
"""

import argparse
import importlib
import inspect
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator
from dataclasses import asdict

from benchmarks.measure import Measured, quiet_process


class PartFailed(Exception):
    """A benchmark ended with an error; the text is the last line that it said."""


def figures_of(module: str, rounds: int | None = None) -> Generator[Measured, None, None]:
    """The figures of a benchmark, each as soon as it is there, from a fresh process; raises PartFailed."""
    command = [sys.executable, "-m", "benchmarks.suite_part", module]
    command += [] if rounds is None else ["--rounds", str(rounds)]
    with tempfile.TemporaryFile("w+") as said:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True) as running:
            assert running.stdout is not None
            try:
                for line in running.stdout:
                    yield Measured(**json.loads(line))
            except BaseException:  # nobody wants the rest
                running.terminate()
                raise
        if running.returncode:
            said.seek(0)
            lines = [line for line in said.read().splitlines() if line.strip()]
            raise PartFailed(lines[-1] if lines else f"ended with code {running.returncode}")


def main() -> None:
    """Measure one module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("module")
    parser.add_argument("--rounds", type=int)
    asked = parser.parse_args()
    quiet_process()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what it has in temporary folders goes
    with os.fdopen(os.dup(1), "w", buffering=1) as lines:
        os.dup2(2, 1)  # what benchmarks print must not stand between the lines
        measurements = importlib.import_module(asked.module).measurements
        takes = "rounds" in inspect.signature(measurements).parameters
        for figure in measurements(rounds=asked.rounds) if takes and asked.rounds else measurements():
            print(json.dumps(asdict(figure)), file=lines)


if __name__ == "__main__":
    main()
