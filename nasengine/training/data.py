"""Data sets by name or path, split once and for all into training, validation and test images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nasengine.errors import DataError
from nasengine.training.data_words import Task
from nasengine.training.raw import Array, checked
from nasengine.training.sources import read
from nasengine.training.split import fingerprint, split


@dataclass(frozen=True, eq=False)
class Split:
    """Normalised images (N, channels, height, width) in float32 and their labels (N,) in int64."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device | str) -> "Split":
        """Return the split with its tensors on a device."""
        return Split(self.images.to(device), self.labels.to(device))


@dataclass(frozen=True, eq=False)
class Dataset:
    """One set of images in three parts that never overlap.

    `input` is (channels, height, width); `fingerprint` is a sha256 of all bytes and of the split. Images went through
    (image - mean) / std per channel, with the training images' figures, after bytes were divided by 255.
    `classes` is the number of outputs: classes, targets of a regression, or classes of a pixel. Labels are (N,) int64;
    of a regression (N, targets) float32, standardised by `target_mean` and `target_std`; of a segmentation
    (N, height, width) int64, where 255 marks pixels that do not count.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    input: tuple[int, int, int]
    classes: int
    fingerprint: str
    class_names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    task: Task = "classification"
    target_mean: tuple[float, ...] = ()
    target_std: tuple[float, ...] = ()

    @property
    def balance(self) -> tuple[int, ...] | None:
        """Images of each class in the training part; None where images have no class."""
        if self.task != "classification":
            return None
        return tuple(torch.bincount(self.train.labels, minlength=self.classes).tolist())

    @property
    def development(self) -> Split:
        """Training and validation images together: all that a final training may learn from."""
        return Split(
            torch.cat([self.train.images, self.validation.images]),
            torch.cat([self.train.labels, self.validation.labels]),
        )


def load(
    source: str | Path | Dataset | Sequence[Any],
    seed: int = 0,
    limit: int | None = None,
    *,
    validation: float = 0.25,
    test: float = 0.2,
) -> Dataset:
    """Return a data set by name or path, or made from arrays (images, labels[, test images, test labels]).

    Names: `digits`, `fashion-mnist`, `mnist`, `hf:owner/name`, and what lies under the folder NASENGINE_DATA. Paths:
    an .npz, a .parquet, a folder of IDX files or of images per class. `limit` keeps that many training and validation
    images together, in proportion to the classes; the test images stay the same. `validation` is a share of the images
    that are not for the test, `test` a share of all, used where the set has no official test images.
    Raises DataError with every fault found.
    """
    if isinstance(source, Dataset):
        return source
    place = f"data {source}" if isinstance(source, str | Path) else "data from arrays"
    for name, share in (("validation", validation), ("test", test)):
        if not 0 < share < 1:
            raise DataError(f"{place}: {name} {share} came; a share between 0 and 1 is allowed")
    raw = checked(read(source), place)
    train, checking, tested = split(raw, seed, limit, validation, test, place)
    std, mean = torch.std_mean(_scaled(raw.images[train]), dim=(0, 2, 3))
    std = torch.where(std > 0, std, 1.0)

    def part(images: Array, labels: Array) -> Split:
        normal = (_scaled(images) - mean.view(1, -1, 1, 1)) / std.view(1, -1, 1, 1)
        return Split(normal, torch.from_numpy(np.ascontiguousarray(labels)))

    channels, height, width = raw.images.shape[1:]
    return Dataset(
        name="arrays" if isinstance(source, Sequence) and not isinstance(source, str) else str(source),
        train=part(raw.images[train], raw.labels[train]),
        validation=part(raw.images[checking], raw.labels[checking]),
        test=part(*(raw.test or (raw.images[tested], raw.labels[tested]))),
        input=(channels, height, width),
        classes=len(raw.class_names),
        fingerprint=fingerprint(raw, seed, limit, validation, test),
        class_names=raw.class_names,
        mean=tuple(mean.tolist()),
        std=tuple(std.tolist()),
    )


def _scaled(images: Array) -> Tensor:
    """Return float32 images, bytes brought to 0 to 1."""
    numbers = torch.from_numpy(np.array(images, np.float32))
    return numbers.div_(255.0) if images.dtype == np.uint8 else numbers
