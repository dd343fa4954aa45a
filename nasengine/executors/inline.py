"""Run every job here, in this process, one after the other: for one machine and for debugging."""

from collections import deque
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from nasengine import plugins
from nasengine.errors import NasError
from nasengine.job import Job, Json, Result
from nasengine.space import Space


class Inline:
    """One job at a time in this process; `on_epoch(job, values)` hears of each epoch while it runs.

    `folder` takes checkpoints and weights; `dataset` stands in for the job's data where it has no name.
    """

    def __init__(
        self,
        folder: Path,
        *,
        workers: int = 1,
        dataset: Any = None,
        on_epoch: Callable[[Job, Mapping[str, Any]], None] | None = None,
    ):
        if workers != 1:
            raise NasError(f"executor inline: workers={workers} came; it runs one job at a time; leave --workers out")
        self.folder, self.dataset, self.on_epoch = folder, dataset, on_epoch
        self.waiting: deque[Job] = deque()
        self.built: tuple[tuple[str, Json], Space] | None = None

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
        job = self.waiting.popleft()
        evaluator = import_module(f"nasengine.evaluators.{job.evaluator}")
        space = self.space_of(job)
        name = "final" if job.final else f"trial-{job.number}"
        hear = None if self.on_epoch is None else lambda values: self.on_epoch(job, values)  # type: ignore[misc]
        checkpoint = self.folder / "checkpoints" / f"{name}.pt"
        result: Result = evaluator.evaluate(
            job, space, self.dataset, on_epoch=hear, checkpoint=checkpoint,
            weights_to=self.folder / "weights" / f"{name}.safetensors",
        )  # fmt: skip
        checkpoint.unlink(missing_ok=True)
        return job, result

    def space_of(self, job: Job) -> Space:
        """The job's space, built anew only where it differs from the last job's."""
        asked = job.space, job.settings
        if self.built is None or self.built[0] != asked:
            self.built = asked, plugins.load_space(*asked)
        return self.built[1]
