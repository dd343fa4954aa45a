"""Images as they were read, and what must hold before they may be trained on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nasengine.errors import DataError

Array = NDArray[np.generic]


@dataclass(frozen=True, eq=False)
class Raw:
    """Images and labels as a reader found them, with the official test images where the set has some.

    Images are (N, height, width), (N, height, width, channels) or (N, channels, height, width), bytes or numbers.
    """

    images: Array
    labels: Array
    test: tuple[Array, Array] | None = None
    class_names: tuple[str, ...] = ()


def checked(raw: Raw, place: str) -> Raw:
    """Return the set as (N, channels, height, width) and int64 labels; DataError names every fault with the place."""
    faults: list[str] = []
    images, labels = _part(raw.images, raw.labels, "", faults)
    test = _part(*raw.test, "test ", faults) if raw.test else None
    if test and test[0].shape[1:] != images.shape[1:]:
        faults.append(f"test images of {test[0].shape[1:]} came; {images.shape[1:]} is allowed, as in training")
    names = raw.class_names
    if not faults:
        names = names or tuple(str(number) for number in range(int(labels.max()) + 1))
        faults += _label_faults(labels, test and test[1], names)
    if faults:
        raise DataError("\n".join(f"{place}: {fault}" for fault in faults))
    return Raw(images, labels, test, names)


def _part(images: Array, labels: Array, which: str, faults: list[str]) -> tuple[Array, Array]:
    images, labels = np.atleast_1d(images), np.atleast_1d(labels)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        faults.append(f"{which}labels of shape {labels.shape} and type {labels.dtype} came; one whole number each")
        labels = np.zeros(len(images), np.int64)
    if len(images) != len(labels):
        faults.append(f"{len(images)} {which}images and {len(labels)} {which}labels came; equally many are needed")
    if len(images) == 0 or images.dtype.kind not in "uifb":
        faults.append(f"{len(images)} {which}images of type {images.dtype} came; numbers are needed")
        return images, labels.astype(np.int64)
    layout = _channels_second(images, which, faults)
    if layout.dtype != np.uint8:
        layout = layout.astype(np.float32)
        if broken := int((~np.isfinite(layout)).sum()):
            faults.append(f"{broken} {which}pixels that are NaN or infinite came; clean the images first")
    return layout, labels.astype(np.int64)


def _channels_second(images: Array, which: str, faults: list[str]) -> Array:
    """Return (N, channels, height, width): channels are the axis of 1, 3 or 4, or the odd one of two equal sides."""
    if images.ndim == 3:
        return images[:, None]
    if images.ndim == 4:
        first, middle, last = images.shape[1:]
        by_count = (first in (1, 3, 4), last in (1, 3, 4))
        by_square = (middle == last != first, first == middle != last)
        for second, fourth in (by_count, by_square):
            if second != fourth:
                return images if second else images.transpose(0, 3, 1, 2)
        if by_count[0]:
            return images
    faults.append(
        f"{which}images of shape {images.shape} came; (N, height, width), (N, height, width, channels) or "
        "(N, channels, height, width) is allowed"
    )
    return images


def _label_faults(labels: Array, test_labels: Array | None, names: Sequence[str]) -> list[str]:
    """Return what is wrong with labels that should run from 0 to the number of classes less one."""
    least_each = 3 if test_labels is None else 2
    faults = []
    for which, part in (("", labels), ("test ", test_labels)):
        if part is not None and (int(part.min()) < 0 or int(part.max()) >= len(names)):
            span = f"from {int(part.min())} to {int(part.max())}"
            faults.append(f"{which}labels {span} came; 0 to {len(names) - 1} are allowed for {len(names)} classes")
    if faults:
        return faults
    counts = np.bincount(labels, minlength=len(names))
    if len(names) < 2 or (counts > 0).sum() < 2:
        return [f"one class came ({names[int(labels[0])]}); at least two are needed"]
    rare = [f"{names[number]} ({counts[number]})" for number in np.flatnonzero(counts < least_each).tolist()]
    if rare:
        shown = ", ".join(rare[:5]) + (", …" if len(rare) > 5 else "")
        faults.append(
            f"too few images in {len(rare)} of {len(names)} classes: {shown}; at least {least_each} each are needed, "
            "and labels must run from 0 without gaps"
        )
    return faults
