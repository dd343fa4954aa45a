"""What travels between the driver and its workers: a Job goes out, a Result comes back, both as plain JSON.

Objects do not cross process walls, only names and numbers do: a worker rebuilds the network from them.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from nasengine.errors import NasError, did_you_mean

FORMAT = 1
"""Version of Job, Result and the reuse key: raise it when an old result no longer answers a new job."""

COMPARED = ("accuracy", "r2", "iou")
"""Of each task the figure by which networks are compared where nothing is said; in values validation_…, test_…."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """One architecture to be evaluated: everything a worker needs to rebuild, train and score it."""

    number: int
    space: str
    settings: Json
    architecture: dict[str, list[str]]
    evaluator: str
    recipe: Json
    data: str
    fidelity: Json
    seed: int
    weights: str | None = None
    final: bool = False
    inherit: dict[str, list[str]] = field(default_factory=dict)  # place -> weights to start from: file, place in it
    micro_batch: int | None = None  # images that go through the network at once; None for the recipe's whole batch
    figures: dict[str, float] = field(default_factory=dict)  # known before training, such as a latency

    def to_json(self) -> Json:
        """Return the job as a plain dict; a number that is not finite is refused with its place."""
        faults = list(_not_finite(vars(self)))
        if faults:
            raise NasError(f"job {self.number}: {', '.join(faults)}; numbers must be finite; use null for no limit")
        return _plain_dict(vars(self))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read a job back from what `to_json` wrote."""
        _check_keys(cls, data)
        return cls(**data)


@dataclass(frozen=True)
class Result:
    """What became of one job: public values by name, size, time in seconds, or an error.

    `stopped` is the epoch after which a training was ended early; its values are those of that epoch. `cost` is what
    it took, over all attempts: core_seconds, gpu_seconds, joules (where the GPU says), attempts, micro_batch, ….
    """

    number: int
    architecture: dict[str, list[str]]
    digest: str | None = None
    values: dict[str, float] = field(default_factory=dict)
    params: int | None = None
    macs: int | None = None
    seconds: float | None = None
    weights: str | None = None
    error: str | None = None
    epochs: list[dict[str, float]] = field(default_factory=list)
    stopped: int | None = None
    cost: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> Json:
        """Return the result as a plain dict: a value that is not finite becomes null, and the error names it."""
        faults = list(_not_finite({"values": self.values, "seconds": self.seconds}))
        error = self.error
        if faults and error is None:
            error = f"result {self.number}: {', '.join(faults)}; values must be finite; try a smaller learning rate"
        return {**_plain_dict(vars(self)), "error": error}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read a result back from what `to_json` wrote: null among the values and epochs is not-a-number."""
        _check_keys(cls, data)
        numbers = {"values": _numbers(data.get("values", {})), "epochs": [_numbers(e) for e in data.get("epochs", [])]}
        return cls(**{**data, **numbers})


def reuse_key(
    *, digest: str, layers: str, recipe: Mapping[str, Any], data: str, seed: int, fidelity: Mapping[str, Any]
) -> str:
    """Return the SHA-256 under which a trained candidate may answer for an equal one.

    `layers` is the fingerprint of the layers' source, `data` that of the data set.
    """
    parts = [FORMAT, digest, layers, plain(recipe), data, seed, plain(fidelity)]
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def plain(value: Any) -> Any:
    """Return a copy that any JSON reader takes: tuples as lists, keys as text, numbers that are not finite as null."""
    kind = type(value)
    if kind is str or kind is int or value is None:  # most of what is recorded, before the slow questions below
        return value
    if kind is dict:
        return {key if type(key) is str else str(key): plain(item) for key, item in value.items()}
    if kind is list:
        return [plain(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if value is None or isinstance(value, str | int):
        return value
    if hasattr(value, "tolist"):  # the scalars and arrays of numpy and torch
        return plain(value.tolist())
    raise NasError(f"JSON: {value!r} is a {type(value).__name__}; allowed are text, numbers, lists and tables of them")


def _plain_dict(value: Mapping[str, Any]) -> Json:
    return {key: plain(item) for key, item in value.items()}


def _not_finite(value: Any, place: str = "") -> Iterator[str]:
    """Yield `place: number` for every number inside that JSON cannot hold."""
    if isinstance(value, float):
        if not math.isfinite(value):
            yield f"{place}: {value}"
        return
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, Mapping):
        items = value.items()
    elif isinstance(value, list | tuple):
        items = enumerate(value)
    for key, item in items:
        yield from _not_finite(item, f"{place}.{key}" if place else str(key))


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    return {name: math.nan if value is None else value for name, value in values.items()}


def _check_keys(cls: type, data: Mapping[str, Any]) -> None:
    allowed = [f.name for f in fields(cls)]
    unknown = [key for key in data if key not in allowed]
    if unknown:
        hint = did_you_mean(unknown[0], allowed)
        place = cls.__name__.lower()
        raise NasError(f"{place}: unknown {', '.join(unknown)}; allowed are {', '.join(allowed)}.{hint}")
