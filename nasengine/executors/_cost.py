"""What a piece of work took: core-seconds of this process, and seconds of its share of a GPU."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def measured(*, gpus: float = 0.0) -> Iterator[dict[str, float]]:
    """Measure a block; the dict is filled when it ends."""
    cost: dict[str, float] = {}
    cores, began = time.process_time(), time.monotonic()
    try:
        yield cost
    finally:
        cost["core_seconds"] = time.process_time() - cores
        if gpus:
            cost["gpu_seconds"] = (time.monotonic() - began) * gpus
