"""What runs jobs in one process, and keeps for the next job what was dear to get: imports, the space, the data set."""

import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from nasengine import plugins
from nasengine.errors import NasError
from nasengine.executors._cost import measured
from nasengine.executors._storage import Storage, is_url, local_copy
from nasengine.job import Job, Json, Result
from nasengine.space import Space

OnEpoch = Callable[[Mapping[str, Any]], bool | None]


class Worker:
    """Runs one job after the other; `dataset` stands in for the jobs' data, `gpus` is this worker's share of one.

    Where `files` is a URL, checkpoints and weights are kept there too, and what is missing here is fetched from there.
    """

    def __init__(self, folder: Path, *, dataset: Any = None, gpus: float = 0.0, files: str | None = None):
        self.folder, self.dataset, self.gpus = folder, dataset, gpus
        self.storage = Storage(str(files), folder) if is_url(files) else None
        self.built: tuple[tuple[str, Json], Space] | None = None

    def run(self, job: Job, on_epoch: OnEpoch | None = None) -> Result:
        """The job's result; whatever goes wrong is a result with an error. A checkpoint that is there is gone on from.

        `on_epoch` hears of each epoch, and ends the training by answering true.
        """
        with measured(gpus=self.gpus) as cost:
            try:
                result = Result.from_json(self._evaluate(job, on_epoch).to_json())  # as it would travel
            except NasError as error:
                result = Result(job.number, job.architecture, error=str(error))
            except Exception as error:  # an evaluator of somebody's own: its faults are answers as well
                result = Result(job.number, job.architecture, error=_words(error))
        return replace(result, cost={**cost, **result.cost}, values={**job.figures, **result.values})

    def _evaluate(self, job: Job, on_epoch: OnEpoch | None) -> Result:
        evaluate: Callable[..., Result] = plugins.load("evaluator", job.evaluator).evaluate
        checkpoint, weights = checkpoint_of(self.folder, job), weights_of(self.folder, job)
        storage = self.storage
        if storage is None:
            space = self.space_of(job)
            return evaluate(job, space, self.dataset, on_epoch=on_epoch, checkpoint=checkpoint, weights_to=weights)

        def hear(values: Mapping[str, Any]) -> bool | None:
            if checkpoint.exists():
                storage.keep(checkpoint)
            return None if on_epoch is None else on_epoch(values)

        storage.fetch(checkpoint)
        near = {place: [str(self._near(file)), origin] for place, (file, origin) in job.inherit.items()}
        weights_near = None if job.weights is None else str(self._near(job.weights))
        job, space = replace(job, inherit=near, weights=weights_near), self.space_of(job)
        result = evaluate(job, space, self.dataset, on_epoch=hear, checkpoint=checkpoint, weights_to=weights)
        return result if result.weights is None else replace(result, weights=storage.keep(Path(result.weights)))

    def _near(self, file: str) -> Path | str:
        """A file of weights, also another search's: URL/SEARCH/weights/FILE, whose folder stands beside this one."""
        if not is_url(file):
            return file
        search = file.split("/")[-3:][0]
        return local_copy(file, self.folder.with_name(search))

    def space_of(self, job: Job) -> Space:
        """The job's space, built anew only where it differs from the last job's."""
        asked = job.space, job.settings
        if self.built is None or self.built[0] != asked:
            self.built = asked, plugins.load_space(*asked)
        return self.built[1]


def checkpoint_of(folder: Path, job: Job) -> Path:
    """Where a job's training stands after its last whole epoch."""
    return folder / "checkpoints" / f"{_name(job)}.pt"


def weights_of(folder: Path, job: Job) -> Path:
    """Where a job's trained weights go."""
    return folder / "weights" / f"{_name(job)}.safetensors"


def _name(job: Job) -> str:
    return "final" if job.final else f"trial-{job.number}"


def _words(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} (in {last.name}, {Path(last.filename).name}:{last.lineno})"
