"""Measure a network with the weights that it has inside a trained supernet; nothing is trained."""

import dataclasses
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from nasengine import plugins
from nasengine.errors import ExportError, NasError
from nasengine.evaluators.train import fault_words, load_data
from nasengine.interpreters.cost import cost
from nasengine.interpreters.digest import digest
from nasengine.interpreters.model import Model
from nasengine.interpreters.weights import load_weights, save_weights
from nasengine.job import Job, Result
from nasengine.space import Architecture, Space
from nasengine.training.data import Dataset
from nasengine.training.fidelity import reduced
from nasengine.training.fit import evaluate as measure
from nasengine.training.fit import pick_device
from nasengine.training.loop import batch_of_checks
from nasengine.training.recipe import Recipe
from nasengine.training.statistics import estimate_statistics
from nasengine.training.tasks import task_of

BATCHES = 20  # of training images, for the norms' statistics
OF_THE_STRATEGY = "strategy."  # its tensors are called so, and numbered, beside the supernet's


class Supernet:
    """A trained supernet, as one process keeps it: the model, and the strategy that trained it, if it dresses networks.

    Raises ExportError where the file's tensors are not those of this space's supernet.
    """

    def __init__(self, space: Space, weights: Path, facts: Mapping[str, Any]):
        with torch.random.fork_rng():
            strategy = plugins.load_strategy(facts["strategy"], space, facts.get("options")) if facts else None
            self.model = Model(space, **dict(getattr(strategy, "model_options", {})))
        try:
            learned = load_weights(self.model, weights, beside=OF_THE_STRATEGY)
        except ExportError as error:
            if not weights.exists():
                raise
            where = f", see `nasengine results --name {facts['search']}`" if "search" in facts else ""
            raise ExportError(
                f"{error}: space {space.name} or its settings are not those that the supernet was trained with; give "
                f"the same ones{where}"
            ) from error
        self.model.to(pick_device("auto")).eval()
        self.strategy = strategy if hasattr(strategy, "dress") else None
        if self.strategy is not None:
            _take(self.strategy.parameters(), learned, weights)

    @torch.no_grad()
    def network(self, architecture: Architecture) -> Model:
        """The network of an architecture, weights cut out of the supernet; norms' statistics are not its own yet."""
        return self.model.inherit(architecture, None if self.strategy is None else self.strategy.dress(architecture))


def evaluate(
    job: Job,
    space: Space,
    dataset: Dataset | None = None,
    *,
    on_epoch: Callable[..., bool | None] | None = None,
    checkpoint: Path | None = None,
    weights_to: Path | None = None,
) -> Result:
    """Cut the job's architecture out of its supernet, estimate its norms' statistics, and measure it.

    A candidate is measured on validation images; the chosen network at last, once, on the test images, and it alone
    leaves its weights, from which it can be exported without a training. Statistics come from
    job.fidelity["batches"] training batches of the recipe's size, for all networks the same under one seed. Whatever
    goes wrong is a result with an error. The space is the supernet's: job.settings are those it was built with.
    """
    architecture = Architecture.from_json(job.architecture)
    started = time.monotonic()
    result = Result(job.number, job.architecture)
    try:
        counted = cost(space, architecture)
        result = dataclasses.replace(
            result, digest=digest(space, architecture), params=counted.params, macs=counted.macs
        )
        dataset = reduced(dataset or load_data(job.data, limit=job.fidelity.get("limit")), job.fidelity, job.seed)
        network = supernet_of(job, space).network(architecture)
        batch = min(job.micro_batch or Recipe.from_json(job.recipe).batch, len(dataset.train))
        estimate_statistics(
            network, dataset.train, batches=job.fidelity.get("batches", BATCHES), batch=batch, seed=job.seed
        )
        part, name = (dataset.test, "test") if job.final else (dataset.validation, "validation")
        measured = measure(network, part, batch_of_checks(job.micro_batch), task_of(dataset))
        weights = str(save_weights(network, weights_to)) if weights_to and job.final else None
        values = {f"{name}_{figure}": value for figure, value in measured.items()}
        result = dataclasses.replace(result, values=values, weights=weights)
    except Exception as error:  # a candidate that fails is an answer, never the end of a search
        result = dataclasses.replace(result, error=fault_words(error))
    return dataclasses.replace(result, seconds=time.monotonic() - started)


_kept: dict[str, Supernet] = {}  # the latest one


def supernet_of(job: Job, space: Space) -> Supernet:
    """The job's supernet; each process reads it once, and again where its file has changed or another is asked for."""
    if job.weights is None:
        raise NasError(
            f"job {job.number}: the evaluator inherit came without a supernet's weights; name the search that trained "
            "one: --supernet NAME"
        )
    weights = Path(job.weights)
    facts = dict(job.fidelity.get("supernet") or {})
    changed = weights.stat().st_mtime_ns if weights.exists() else None
    key = json.dumps([str(weights), changed, job.space, job.settings, facts], sort_keys=True, default=str)
    if key not in _kept:
        _kept.clear()  # before the next is read: two may be more than the memory holds
        _kept[key] = Supernet(space, weights, facts)
    return _kept[key]


def _take(parameters: Sequence[torch.Tensor], learned: Mapping[str, torch.Tensor], weights: Path) -> None:
    """Give a strategy's parameters, in their order, what it had learned."""
    for number, parameter in enumerate(parameters):
        name = f"{OF_THE_STRATEGY}{number}"
        if name not in learned or learned[name].shape != parameter.shape:
            came = tuple(learned[name].shape) if name in learned else "missing"
            raise ExportError(
                f"weights {weights}: {name} is {came}, the strategy's is {tuple(parameter.shape)}; they are of a "
                "strategy with other options"
            )
        parameter.data.copy_(learned[name])
