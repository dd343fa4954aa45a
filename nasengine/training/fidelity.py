"""Cheaper trainings of candidates: fewer epochs, a share of the training images, smaller images."""

import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nasengine.errors import NasError, did_you_mean
from nasengine.training.dataset import Dataset, Split
from nasengine.training.split import stratified
from nasengine.training.streamed import Streamed, resized, resized_masks

NAMES = ("limit", "epochs", "share", "resolution")
PARTS = ("train", "validation", "test")


def check_fidelity(fidelity: Mapping[str, Any], dataset: Dataset) -> None:
    """Raise NasError with every fault of a fidelity: its names, its values, and whether they suit the data set.

    `epochs` replaces the recipe's; `share` is that of the training images; `resolution` is the side in pixels that
    images are brought to; `limit` is what the data set was loaded with.
    """
    faults = [
        f'"{name}" came; {", ".join(NAMES)} are allowed.{did_you_mean(name, NAMES)}'
        for name in fidelity
        if name not in NAMES
    ]
    for name in ("epochs", "resolution"):
        value = fidelity.get(name, 1)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            faults.append(f"{name} {value!r} came; a whole number from 1 up is allowed")
    share = fidelity.get("share", 1)
    groups = dataset.classes if dataset.task == "classification" else 1
    least = min(2 * groups / len(dataset.train), 1)
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1:
        faults.append(f"share {share!r} came; a number above 0, up to 1, is allowed")
    elif share < least:
        faults.append(
            f"share {share} came; from {least:.2g} up is allowed, two of the {len(dataset.train)} training images"
            + (f" for each of the {groups} classes" if groups > 1 else "")
        )
    if faults:
        raise NasError("\n".join(f"fidelity: {fault}" for fault in faults))


def reduced(dataset: Dataset, fidelity: Mapping[str, Any], seed: int) -> Dataset:
    """Return the data set at a job's share and resolution, made once; the very same where neither is asked for.

    The training images that stay are drawn by the seed, every class in proportion; validation and test images stay
    all. Images become (channels, resolution, resolution) by bilinear interpolation, smoothed first where they shrink.
    They were normalised before and are not again: the mean stays, the contrast of smaller images is a little less.
    """
    share, side = fidelity.get("share"), fidelity.get("resolution")
    if share in (None, 1) and (side is None or dataset.input[1:] == (side, side)):
        return dataset
    return _reduced(dataset, share, side, seed)


@lru_cache(maxsize=2)
def _reduced(dataset: Dataset, share: float | None, side: int | None, seed: int) -> Dataset:
    digest = hashlib.sha256(repr((dataset.fingerprint, share, side, seed)).encode()).hexdigest()
    changed = dataclasses.replace(dataset, fingerprint=digest)
    if share is not None:
        changed = dataclasses.replace(changed, train=_sample(dataset.train, share, seed))
    if side is not None:
        parts: dict[str, Any] = {name: _resized(getattr(changed, name), side) for name in PARTS}
        changed = dataclasses.replace(changed, input=(dataset.input[0], side, side), **parts)
    return changed


def _sample(split: Split, share: float, seed: int) -> Split:
    random, every = np.random.default_rng(seed), np.arange(len(split))
    is_class = isinstance(split.labels, Tensor) and split.labels.dim() == 1
    groups = split.labels.cpu().numpy() if is_class else np.zeros(len(split), np.int64)
    count = max(round(share * len(split)), 1)
    return split.select(torch.from_numpy(stratified(groups, every, count, random, spare=0)))


def _resized(split: Split, side: int) -> Split:
    """The split with square images, and masks of the nearest pixels; what is on disk is changed when it is read."""
    masks = split.labels.dim() == 3 if isinstance(split.labels, Tensor) else True
    labels = _each(split.labels, side, resized_masks) if masks else split.labels
    return Split(_each(split.images, side, resized), labels)


def _each(numbers: Tensor | Streamed, side: int, change: Callable[[Tensor, int], Tensor]) -> Tensor | Streamed:
    """Some at a time, for the smoothing needs room of its own."""
    if isinstance(numbers, Streamed):
        return dataclasses.replace(numbers, side=side)
    return torch.cat([change(some, side) for some in numbers.split(1024)])
