"""Images as they were read, before anything is checked or made of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nasengine.training.data_words import Task
from nasengine.training.streamed import Streamed

Array = NDArray[Any]
Images = Array | Streamed
TRAIN, VALIDATION, TEST = range(3)
PART_WORDS = {
    **dict.fromkeys(("train", "training"), TRAIN),
    **dict.fromkeys(("val", "valid", "validation"), VALIDATION),
    **dict.fromkeys(("test", "testing"), TEST),
}
"""What parts of a set are called in files."""


@dataclass(frozen=True, eq=False)
class Raw:
    """Images and labels as a reader found them, with the official validation and test images where the set has some.

    Images are (N, height, width), (N, height, width, channels) or (N, channels, height, width), bytes or numbers; with
    `channels_first` surely the last. Labels are (N,) or (N, 1) whole numbers; numbers (N,) or (N, targets); or whole
    numbers (N, height, width). `task` is None where the labels tell.
    """

    images: Images
    labels: Images
    test: tuple[Images, Images] | None = None
    class_names: tuple[str, ...] = ()
    validation: tuple[Images, Images] | None = None
    task: Task | None = None
    channels_first: bool = False
    damaged: tuple[str, ...] = ()


def at(images: Images, places: Any) -> Images:
    """Return some of the images, in memory or on disk as they were."""
    if isinstance(images, Streamed):
        return images.select(torch.as_tensor(places))
    if len(places) == len(images) and np.array_equal(places, np.arange(len(images))):
        return images
    return images[places]


def divided(
    images: Images, labels: Images, parts: Sequence[int] | Array, left_out: Sequence[int] = (), **facts: Any
) -> Raw:
    """Return a set whose images are in the parts that numbers name, without those left out."""
    numbers = np.array(parts)
    numbers[list(left_out)] = -1
    train, validation, test = (
        (at(images, places), at(labels, places)) if len(places) else None
        for places in (np.flatnonzero(numbers == part) for part in range(3))
    )
    train = train or (at(images, np.arange(0)), at(labels, np.arange(0)))
    return Raw(*train, test, validation=validation, channels_first=True, **facts)
