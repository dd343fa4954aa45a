"""A job of 20 to 80 milliseconds in four epochs, whose value follows from the architecture alone.

Its value is a chain of digests, one link an epoch, kept in a checkpoint: an epoch left out or done twice would show.
Beside the checkpoints, `epochs.txt` has a line for each epoch that was done: job, epoch, process.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nasengine.job import Job, Result
from nasengine.space import Space

EPOCHS = 4


def evaluate(
    job: Job,
    space: Space,
    dataset: Any = None,
    *,
    on_epoch: Callable[[Mapping[str, Any]], bool | None],
    checkpoint: Path,
    weights_to: Path | None = None,
) -> Result:
    """Go on from the checkpoint, and take another one after each epoch."""
    picks = json.dumps(job.architecture, sort_keys=True)
    chain: list[str] = json.loads(checkpoint.read_text()) if checkpoint.exists() else [_digest(picks)]
    for epoch in range(len(chain), EPOCHS + 1):
        time.sleep(0.005 + 0.015 * _fraction(os.urandom(8).hex()))
        chain.append(_digest(chain[-1] + picks))
        _keep(checkpoint, chain, f"{job.number} {epoch} {os.getpid()}\n")
        on_epoch({"epoch": epoch, "validation_accuracy": _fraction(chain[-1])})
    return Result(job.number, job.architecture, _digest(picks), {"validation_accuracy": _fraction(chain[-1])})


def _keep(checkpoint: Path, chain: list[str], line: str) -> None:
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    partial = checkpoint.with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps(chain))
    partial.replace(checkpoint)
    with (checkpoint.parent / "epochs.txt").open("a") as file:
        file.write(line)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _fraction(text: str) -> float:
    return int(text[:8], 16) / 2**32
