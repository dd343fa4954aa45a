"""Train a network and measure it: candidates on validation data, the chosen network at last on test data."""

import dataclasses
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
from nasengine.training.fit import evaluate as measure
from nasengine.training.fit import fit
from nasengine.training.recipe import Recipe

load_data = lru_cache(maxsize=2)(data.load)
OnEpoch = Callable[[Mapping[str, Any]], None]


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

    A candidate trains on the training data and is measured on validation data. A final training uses both, and
    alone touches the test data, once, at its end. What the job inherits is where the training starts from.
    """
    architecture = Architecture.from_json(job.architecture)
    started = time.monotonic()
    result = Result(job.number, job.architecture)
    epochs: list[dict[str, float]] = []

    def remember(values: Mapping[str, Any]) -> None:
        epochs.append(dict(values))
        if on_epoch is not None:
            on_epoch(values)

    try:
        counted = cost(space, architecture)
        result = dataclasses.replace(
            result, digest=digest(space, architecture), params=counted.params, macs=counted.macs
        )
        dataset = dataset or load_data(job.data, limit=job.fidelity.get("limit"))
        values, model = _train(job, space, architecture, dataset, remember, checkpoint)
        weights = str(save_weights(model, weights_to)) if weights_to else None
        result = dataclasses.replace(result, values=values, weights=weights)
    except Exception as error:  # a candidate that fails is an answer, never the end of a search
        result = dataclasses.replace(result, error=_words(error))
    return dataclasses.replace(result, seconds=time.monotonic() - started, epochs=epochs)


def _train(
    job: Job,
    space: Space,
    architecture: Architecture,
    dataset: data.Dataset,
    on_epoch: OnEpoch,
    checkpoint: Path | None,
) -> tuple[dict[str, float], Model]:
    recipe = Recipe.from_json({**job.recipe, **space.recipe_of(architecture)})
    with torch.random.fork_rng():
        torch.manual_seed(job.seed)
        model = Model(space, architecture)
    start_from(model, job.inherit)
    train = dataset.development if job.final else dataset.train
    validation = None if job.final else dataset.validation
    history = fit(
        model, train, recipe, validation=validation, seed=job.seed, device="auto",
        checkpoint=checkpoint, on_epoch=on_epoch,
    )  # fmt: skip
    last = history[-1]
    values = {name: last[name] for name in ("train_accuracy", "train_loss")}
    if job.final:
        measured = measure(model, dataset.test)
        values |= {"test_accuracy": measured["accuracy"], "test_loss": measured["loss"]}
    else:
        values |= {name: last[name] for name in ("validation_accuracy", "validation_loss")}
    return values, model.cpu()


def _words(error: Exception) -> str:
    """One line that says what went wrong, with the place in the code where it is not our own message."""
    if isinstance(error, NasError):
        return str(error)
    if isinstance(error, torch.OutOfMemoryError):
        return f"out of memory: {error}; give a smaller --recipe.batch"
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} (in {last.name}, {Path(last.filename).name}:{last.lineno})"
