"""Train a network and measure it: candidates on validation data, the chosen network at last on test data."""

import dataclasses
import errno
import time
import traceback
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from nasengine.errors import NasError
from nasengine.interpreters.cost import cost
from nasengine.interpreters.digest import digest
from nasengine.interpreters.model import Model
from nasengine.interpreters.weights import save_weights, start_from
from nasengine.job import Job, Result
from nasengine.space import Architecture, Space
from nasengine.training import data
from nasengine.training.fidelity import reduced
from nasengine.training.fit import StopTraining, fit
from nasengine.training.fit import evaluate as measure
from nasengine.training.loop import batch_of_checks
from nasengine.training.memory import is_out_of_memory, with_less_memory
from nasengine.training.pinned import file_of, pinned
from nasengine.training.recipe import Recipe
from nasengine.training.start import start_from_file
from nasengine.training.tasks import task_of

load_data = lru_cache(maxsize=2)(data.load)
OnEpoch = Callable[[Mapping[str, Any]], bool | None]


def evaluate(
    job: Job,
    space: Space,
    dataset: data.Dataset | None = None,
    *,
    on_epoch: OnEpoch | None = None,
    checkpoint: Path | None = None,
    weights_to: Path | None = None,
) -> Result:
    """Build the job's architecture, train it and measure it; whatever goes wrong in that is a result with an error.

    A candidate trains on the training data, at the job's fidelity, and is measured on validation data. A final training
    uses both, and alone touches the test data, once, at its end. What the job inherits is where the training starts
    from. Where `on_epoch` answers true the training ends after that epoch, with what was measured then; after the last
    one that means nothing. Where the memory does not suffice, fewer images go through the network at once.
    """
    architecture = Architecture.from_json(job.architecture)
    started = time.monotonic()
    result = Result(job.number, job.architecture)
    curve: dict[int, dict[str, float]] = {}  # by epoch, for one may come again

    def remember(values: Mapping[str, Any]) -> bool | None:
        curve[int(values["epoch"])] = dict(values)
        return on_epoch(values) if on_epoch is not None else None

    try:
        counted = cost(space, architecture)
        result = dataclasses.replace(
            result, digest=digest(space, architecture), params=counted.params, macs=counted.macs
        )
        dataset = dataset or load_data(job.data, limit=job.fidelity.get("limit"))
        training = _Training(job, space, architecture, reduced(dataset, job.fidelity, job.seed), remember, checkpoint)
        (values, model), micro_batch = with_less_memory(training.run, training.most)
        curve = {int(record["epoch"]): record for record in training.history}
        weights = str(save_weights(model, weights_to)) if weights_to else None
        result = dataclasses.replace(
            result, values=values, weights=weights, stopped=training.stopped,
            cost={"micro_batch": micro_batch} if micro_batch < training.recipe.batch else {},
        )  # fmt: skip
    except Exception as error:  # a candidate that fails is an answer, never the end of a search
        result = dataclasses.replace(result, error=fault_words(error))
    return dataclasses.replace(result, seconds=time.monotonic() - started, epochs=list(curve.values()))


class _Training:
    """One job's training, which may be begun several times, with ever fewer images at once."""

    def __init__(
        self, job: Job, space: Space, architecture: Architecture, dataset: data.Dataset, on_epoch: OnEpoch,
        checkpoint: Path | None,
    ):  # fmt: skip
        self.job, self.space, self.architecture, self.dataset = job, space, architecture, dataset
        self.on_epoch, self.checkpoint = on_epoch, checkpoint
        epochs = {"epochs": job.fidelity["epochs"]} if "epochs" in job.fidelity else {}
        self.recipe = Recipe.from_json({**job.recipe, **space.recipe_of(architecture), **epochs})
        self.most = min(job.micro_batch or self.recipe.batch, self.recipe.batch)  # images at once, to begin with
        self.history: list[dict[str, float]] = []
        self.task = task_of(dataset)

    @property
    def stopped(self) -> int | None:
        """The epoch after which it was ended early, if it was."""
        return len(self.history) if len(self.history) < self.recipe.epochs else None

    def run(self, micro_batch: int) -> tuple[dict[str, float], Model]:
        """Train a network, from the checkpoint if there is one, and measure it."""
        job, fewer = self.job, micro_batch if micro_batch < self.recipe.batch else None
        with torch.random.fork_rng():
            torch.manual_seed(job.seed)
            model = Model(self.space, self.architecture)
        values = self._start(model)
        start_from(model, job.inherit)
        self.history = fit(
            model, self.dataset.development if job.final else self.dataset.train, self.recipe,
            validation=None if job.final else self.dataset.validation, seed=job.seed, device="auto",
            checkpoint=self.checkpoint, micro_batch=fewer, on_epoch=self._hear, task=self.task,
        )  # fmt: skip
        last = self.history[-1].items()
        values |= {name: value for name, value in last if name.startswith(("train_", "validation_"))}
        if job.final:
            measured = measure(model, self.dataset.test, batch_of_checks(fewer), self.task)
            values |= {f"test_{name}": value for name, value in measured.items()}
        return values, model.cpu()

    def _start(self, model: Model) -> dict[str, float]:
        """Take what fits of the recipe's file of weights; its share of the network's tensors, if there is a file."""
        if not self.recipe.start:
            return {}
        started = start_from_file(model, file_of(pinned(self.recipe.start)))
        return {"started_share": started.taken / started.wanted}

    def _hear(self, record: Mapping[str, float]) -> None:
        if self.on_epoch(record):
            raise StopTraining


def is_disk_full(error: Exception) -> bool:
    """Say whether a file could not be written for want of room; torch and safetensors have words of their own."""
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return full or "No space left on device" in str(error) or "os error 28" in str(error)


def fault_words(error: Exception) -> str:
    """One line that says what went wrong, with the place in the code where it is not our own message."""
    if isinstance(error, NasError):
        return str(error)
    if is_out_of_memory(error):
        return f"out of memory: {str(error) or type(error).__name__}; give a smaller --limit or smaller networks"
    if is_disk_full(error):
        return f"disk full: {error}; make room, then `nasengine retry NAME` trains what failed for want of it"
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} (in {last.name}, {Path(last.filename).name}:{last.lineno})"
