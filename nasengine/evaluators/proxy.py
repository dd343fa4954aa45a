"""Score a network at its random initialisation, without training it; a higher score promises more accuracy."""

import dataclasses
import json
import math
import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from nasengine.errors import NasError
from nasengine.evaluators.train import fault_words, load_data
from nasengine.interpreters.cost import cost
from nasengine.interpreters.digest import digest
from nasengine.interpreters.model import Model
from nasengine.job import Job, Result
from nasengine.proxies.az_nas import az_nas, ranked
from nasengine.proxies.options import proxy_options, value_name
from nasengine.proxies.probe import Batch, Probe
from nasengine.proxies.scores import SCORES
from nasengine.space import Architecture, Space
from nasengine.training import data
from nasengine.training.fidelity import reduced
from nasengine.training.fit import pick_device
from nasengine.training.task import Criterion
from nasengine.training.tasks import task_of

__all__ = ["evaluate", "proxy_options", "value_name"]
LOWEST = -1e9
"""What minus infinity is recorded as, which is a score by definition (two images alike, nothing passes through)."""
COUNTS = {"flops": "macs", "macs": "macs", "params": "params"}  # these papers call multiply-adds FLOPs

_references: dict[str, list[dict[str, float]]] = {}  # the components of the networks that AZ-NAS ranks among


def evaluate(
    job: Job,
    space: Space,
    dataset: data.Dataset | None = None,
    *,
    on_epoch: Callable[[Mapping[str, Any]], bool | None] | None = None,
    checkpoint: Path | None = None,
    weights_to: Path | None = None,
) -> Result:
    """Score the job's architecture by the proxy that its fidelity names; what goes wrong is a result with an error.

    `job.fidelity["proxy"]` is {"name": …, options …}; the value has the proxy's name, and what it is made of stands
    beside it. Weights, batch and all else that is random are by the job's seed; the batch is of training images. There
    are no epochs to listen to and no weights to keep: all but the first three is taken for the common form alone.
    """
    architecture = Architecture.from_json(job.architecture)
    started = time.monotonic()
    result = Result(job.number, job.architecture)
    try:
        asked = dict(job.fidelity.get("proxy", {}))
        name = asked.pop("name", "")
        options = proxy_options(name, asked)
        counted = cost(space, architecture)
        result = dataclasses.replace(
            result, digest=digest(space, architecture), params=counted.params, macs=counted.macs
        )
        values = _values(job, space, architecture, name, options, dataset)
        result = dataclasses.replace(result, values=_recorded(name, values))
    except Exception as error:  # a candidate that fails is an answer, never the end of a search
        result = dataclasses.replace(result, error=fault_words(error))
    return dataclasses.replace(result, seconds=time.monotonic() - started)


def _values(
    job: Job, space: Space, architecture: Architecture, name: str, options: dict[str, Any], dataset: data.Dataset | None
) -> dict[str, float]:
    """The score, and its components, by their public names."""
    if name in COUNTS:
        return {value_name(name): float(getattr(cost(space, architecture), COUNTS[name]))}
    if dataset is None:
        dataset = load_data(job.data, limit=job.fidelity.get("limit"))
    dataset = reduced(dataset, job.fidelity, job.seed)
    images, loss = dataset.train, task_of(dataset).loss
    batches = _drawn(images, options.pop("batch", 1), options.pop("batches", 1), job.seed)
    if name != "az-nas":
        return {value_name(name): SCORES[name](_probe(space, architecture, batches, job.seed, loss), **options)}
    found = _components(space, architecture, batches, job.seed)
    return {"az_nas": ranked(found, _others(job, space, batches, options["reference"])), **found}


def _drawn(split: data.Split, size: int, number: int, seed: int) -> list[Batch]:
    """Batches of different images, drawn by the seed."""
    if size * number > len(split):
        raise NasError(
            f"proxy: {number} batches of {size} images came; the data has {len(split)} training images; "
            "give a smaller --proxy.batch"
        )
    order = torch.randperm(len(split), generator=torch.Generator().manual_seed(seed))
    device = pick_device("auto")
    return [
        (split.images[some].to(device), split.labels[some].to(device)) for some in order[: size * number].split(size)
    ]


def _probe(
    space: Space, architecture: Architecture, batches: list[Batch], seed: int, loss: Criterion = cross_entropy
) -> Probe:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = Model(space, architecture)
    return Probe(network.to(batches[0][0].device), batches, seed, loss)


def _components(space: Space, architecture: Architecture, batches: list[Batch], seed: int) -> dict[str, float]:
    found = az_nas(_probe(space, architecture, batches, seed))
    return {**found, "complexity": float(cost(space, architecture).macs)}


def _others(job: Job, space: Space, batches: list[Batch], number: int) -> list[dict[str, float]]:
    """The components of random networks of the space: the same for every job, whatever its seed, worker or images."""
    key = json.dumps([job.space, job.settings, batches[0][0].shape, number], sort_keys=True)
    if key not in _references:
        drawn = [space.sample(random.Random(i)) for i in range(number)]
        _references[key] = [_components(space, one, batches, seed) for seed, one in enumerate(drawn)]
    return _references[key]


def _recorded(name: str, values: Mapping[str, float]) -> dict[str, float]:
    """The values as a ledger takes them; raises NasError for one that is no number."""
    found = {key: LOWEST if value == -math.inf else value for key, value in values.items()}
    for key, value in found.items():
        if not math.isfinite(value):
            raise NasError(
                f"proxy {name}: {key} is {value}; a finite number is wanted; nothing may pass through this network, "
                "or too much: take another proxy for such networks"
            )
    return found
