"""An evaluator of a user's own that behaves, and misbehaves, as the job's fidelity says; it trains nothing.

do: what happens in the last epoch; epochs: how many; pause: seconds of each
"""

import math
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nasengine.job import Job, Result
from nasengine.space import Space


def evaluate(
    job: Job,
    space: Space,
    dataset: Any = None,
    *,
    on_epoch: Callable[[Mapping[str, Any]], bool | None],
    checkpoint: Path,
    weights_to: Path | None = None,
) -> Result:
    """Count epochs, from the checkpoint on, and say who did it."""
    epochs, pause = job.fidelity.get("epochs", 1), job.fidelity.get("pause", 0.0)
    begun = done = int(checkpoint.read_text()) if checkpoint.exists() else 0
    stopped = None
    while done < epochs and stopped is None:
        if done == epochs - 1 and "do" in job.fidelity:
            MISDEEDS[job.fidelity["do"]]()
        time.sleep(pause)
        done += 1
        _keep(checkpoint, done)
        if on_epoch({"epoch": done}) and done < epochs:
            stopped = done
    values = {"process": float(os.getpid()), "begun": float(begun), "torch": float("torch" in sys.modules)}
    values |= {"layers": float(len(space.decisions)), "threads": float(os.environ["OMP_NUM_THREADS"])}
    values |= {"value": math.nan} if job.fidelity.get("nan") else {}
    return Result(job.number, job.architecture, values=values, stopped=stopped)


def _keep(checkpoint: Path, done: int) -> None:
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    partial = checkpoint.with_suffix(".part")
    partial.write_text(str(done))
    partial.replace(checkpoint)


def _die() -> None:
    print("the disk is full")
    sys.stdout.flush()
    os._exit(7)


def _complain() -> None:
    raise ZeroDivisionError("nothing to divide")


MISDEEDS = {"raise": _complain, "die": _die, "hang": lambda: time.sleep(1000), "leave": sys.exit}
