"""Cheaper trainings of candidates: fewer epochs, a share of the training images, smaller images."""

import dataclasses
import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import torch

from nasengine.errors import NasError, did_you_mean
from nasengine.training.data import Dataset, Split
from nasengine.training.split import stratified

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
    least = min(2 * dataset.classes / len(dataset.train), 1)
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1:
        faults.append(f"share {share!r} came; a number above 0, up to 1, is allowed")
    elif share < least:
        faults.append(
            f"share {share} came; from {least:.2g} up is allowed, two of the {len(dataset.train)} training images for "
            f"each of the {dataset.classes} classes"
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
    labels, random = split.labels.cpu().numpy(), np.random.default_rng(seed)
    count = max(round(share * len(split)), 1)
    chosen = torch.from_numpy(stratified(labels, np.arange(len(split)), count, random, spare=0))
    return Split(split.images[chosen], split.labels[chosen])


def _resized(split: Split, side: int) -> Split:
    """The split with square images; some at a time, for the smoothing needs room of its own."""
    images = [
        torch.nn.functional.interpolate(some, (side, side), mode="bilinear", antialias=True)
        for some in split.images.split(1024)
    ]
    return Split(torch.cat(images), split.labels)
