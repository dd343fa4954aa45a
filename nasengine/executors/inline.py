"""Run every job here, in this process, one after the other: for one machine and for debugging."""

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from nasengine.errors import NasError
from nasengine.executors._terms import Terms
from nasengine.executors._worker import Worker
from nasengine.job import Job, Result


class Inline:
    """One job at a time in this process; `on_epoch(job, values)` hears of each epoch while it runs.

    `folder` takes checkpoints and weights; `dataset` stands in for the job's data where it has no name. A job that
    takes too long is ended after its epoch: nobody else is there to end it before.
    """

    def __init__(
        self,
        folder: Path,
        terms: Terms = Terms(),  # noqa: B008  (frozen)
        *,
        dataset: Any = None,
        on_epoch: Callable[[Job, Mapping[str, Any]], bool | None] | None = None,
        on_note: Callable[[str], None] = lambda text: None,
    ):
        if terms.workers != 1:
            raise NasError(
                f"executor inline: workers={terms.workers} came; it runs one job at a time; leave --workers out, or "
                "take --executor local or ray"
            )
        if terms.address is not None:
            raise NasError(f"executor inline: address={terms.address} came; only --executor ray and local take one")
        self.terms, self.on_epoch = terms, on_epoch
        self.worker = Worker(folder, dataset=dataset, gpus=terms.gpus_per_worker or _gpus(), files=terms.files)
        self.waiting: deque[Job] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.waiting.clear()

    def free(self) -> bool:
        """Whether another job may be submitted."""
        return not self.waiting

    def submit(self, job: Job) -> None:
        """Take a job; it runs when its result is asked for."""
        self.waiting.append(job)

    def next(self) -> tuple[Job, Result]:
        """Run the job that waits, and give its result."""
        job, began = self.waiting.popleft(), time.monotonic()
        trouble: list[Exception] = []
        late: list[str] = []

        def hear(values: Mapping[str, Any]) -> bool:
            try:  # what goes wrong in the driver is no fault of the job, whose evaluator would take it for one
                stop = bool(self.on_epoch and self.on_epoch(job, values))
            except Exception as error:
                trouble.append(error)
                return True
            if self.terms.job_timeout is not None and time.monotonic() - began > self.terms.job_timeout:
                late.append(f"timeout: it ran longer than the {self.terms.job_timeout:g} seconds of --job-timeout")
            return stop or bool(late)

        result = self.worker.run(job, hear)
        if trouble:
            raise trouble[0]
        if late and result.stopped is not None:
            result = replace(result, error=late[0], stopped=None)
        return job, result


def _gpus() -> float:
    """One where there is one, for a network that is trained here takes it."""
    import torch

    return float(torch.cuda.is_available())
