"""Data sets by name or path, split once and for all into training, validation and test images."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nasengine.errors import DataError
from nasengine.training.arranged import arranged
from nasengine.training.checks import checked
from nasengine.training.dataset import Dataset, Split
from nasengine.training.normal import figures, scale_of
from nasengine.training.raw import Images, Raw, at
from nasengine.training.reading import Reading
from nasengine.training.sources import read
from nasengine.training.split import fingerprint, limited_validation, split
from nasengine.training.streamed import Streamed, normalised

__all__ = ["Dataset", "Split", "load"]
log = logging.getLogger("nasengine.data")


def load(
    source: str | Path | Dataset | Sequence[Any],
    seed: int = 0,
    limit: int | None = None,
    *,
    validation: float = 0.25,
    test: float = 0.2,
    on_note: Callable[[str], None] = log.info,
) -> Dataset:
    """Return a data set by name or path, or made from arrays (images, labels[, test images, test labels]).

    Names: `digits`, `fashion-mnist`, `mnist`, `hf:owner/name`, `module:function`, and what lies under the folder
    NASENGINE_DATA. Paths: an .npz, a .parquet, a .csv, a folder of IDX files, of images per class, or of images and
    masks. Options stand behind a question mark, such as `pictures?size=64`, and go before the arguments here.
    `limit` keeps that many training and validation images together, in proportion to the classes; the test images stay
    the same. `validation` is a share of the images that are not for the test, `test` a share of all, used where the set
    brings no such part itself. `on_note` hears how far a long reading is, and what was left out; without one,
    the logger nasengine.data does.
    Raises DataError with every fault found.
    """
    if isinstance(source, Dataset):
        return source
    place = f"data {source}" if isinstance(source, str | Path) else "data from arrays"
    for name, share in (("validation", validation), ("test", test)):
        if not 0 < share < 1:
            raise DataError(f"{place}: {name} {share} came; a share between 0 and 1 is allowed")
    reading = Reading(place, on_note=on_note)
    found = read(source, reading)
    if isinstance(found, Dataset):
        return found
    options = reading.options
    settings = (
        seed if options.split_seed is None else options.split_seed,
        limit,
        options.validation or validation,
        options.test or test,
    )
    name = "arrays" if isinstance(source, Sequence) and not isinstance(source, str) else str(source)
    return _made(name, arranged(checked(found, place), reading), settings, place)


def _made(name: str, raw: Raw, settings: tuple[int, int | None, float, float], place: str) -> Dataset:
    """A data set of what was read and checked."""
    train, checking, tested = split(raw, *settings, place)
    (mean, std), scale = figures(raw.images, train), scale_of(raw, train)

    def part(places: Any, own: tuple[Images, Images] | None) -> Split:
        images, labels = own or (raw.images, raw.labels)
        if places is not None:
            images, labels = at(images, places), at(labels, places)
        return Split(_normal(images, mean, std), scale.labels(labels))

    if raw.validation is not None:
        checking = limited_validation(raw, settings[1], settings[0])
    channels, height, width = raw.images.shape[1:]
    return Dataset(
        name=name,
        train=part(train, None),
        validation=part(checking, raw.validation),
        test=part(tested, raw.test),
        input=(channels, height, width),
        classes=len(raw.class_names),
        fingerprint=fingerprint(raw, *settings),
        class_names=raw.class_names,
        mean=tuple(mean.tolist()),
        std=tuple(std.tolist()),
        task=raw.task or "classification",
        target_mean=scale.mean,
        target_std=scale.std,
        damaged=raw.damaged,
        split={
            "seed": settings[0],
            "limit": settings[1],
            "validation": None if raw.validation else settings[2],
            "test": None if raw.test else settings[3],
        },
    )


def _normal(images: Images, mean: Tensor, std: Tensor) -> Tensor | Streamed:
    if isinstance(images, Streamed):
        return images.normal_by(mean, std)
    return normalised(torch.from_numpy(np.array(images, order="C")), mean, std)
