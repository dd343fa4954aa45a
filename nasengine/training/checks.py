"""What must hold of images and labels before they may be trained on: every fault is named."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nasengine.errors import DataError
from nasengine.training.counting import IGNORED
from nasengine.training.data_words import Task
from nasengine.training.raw import Array, Images, Raw
from nasengine.training.streamed import Streamed, pieces


def checked(raw: Raw, place: str) -> Raw:
    """Return the set as (N, channels, height, width) with labels of its task; DataError names every fault.

    Labels become (N,) int64; of a regression (N, targets) float32; of a segmentation (N, height, width) int64 or bytes.
    """
    faults: list[str] = []
    raw = _numbered(raw)
    task = raw.task or _task_of(raw.labels, faults)
    images, labels = _part(raw.images, raw.labels, "", task, raw.channels_first, faults)
    parts: dict[str, tuple[Images, Images]] = {}
    for which, given in (("validation", raw.validation), ("test", raw.test)):
        if given is not None:
            parts[which] = _part(*given, f"{which} ", task, raw.channels_first, faults)
            if parts[which][0].shape[1:] != images.shape[1:]:
                shape, wanted = tuple(parts[which][0].shape[1:]), tuple(images.shape[1:])
                faults.append(f"{which} images of {shape} came; {wanted} is allowed, as in training")
    names = raw.class_names
    if not faults:
        every = {"": labels, **{f"{which} ": one for which, (_, one) in parts.items()}}
        names, more = _NAMED[task](every, names, tuple(images.shape))
        faults += more
    if faults:
        raise DataError("\n".join(f"{place}: {fault}" for fault in faults))
    return replace(
        raw, images=images, labels=labels, class_names=names, task=task, channels_first=True,
        test=parts.get("test"), validation=parts.get("validation"),
    )  # fmt: skip


def _numbered(raw: Raw) -> Raw:
    """The set with numbers for labels that are words, or whole numbers in floats where classes were asked for."""
    given = [raw.labels, *(part[1] for part in (raw.validation, raw.test) if part is not None)]
    arrays = [labels for labels in given if not isinstance(labels, Streamed)]
    if len(arrays) < len(given):
        return raw
    if all(labels.dtype.kind in "US" for labels in arrays):
        words = sorted({str(word) for labels in arrays for word in np.unique(labels)}, key=_in_order)
        numbers = {word: number for number, word in enumerate(words)}

        def change(labels: Any) -> Any:
            return np.vectorize(lambda word: numbers[str(word)], otypes=[np.int64])(labels)

        raw = replace(raw, class_names=tuple(words), task="classification")
    elif raw.task == "classification" and all(_is_whole(labels) for labels in arrays):

        def change(labels: Any) -> Any:
            return labels.astype(np.int64)

    else:
        return raw
    parts: dict[str, Any] = {
        which: (part[0], change(part[1]))
        for which, part in (("validation", raw.validation), ("test", raw.test))
        if part is not None
    }
    return replace(raw, labels=change(raw.labels), **parts)


def _in_order(word: str) -> tuple[int, str]:
    return (int(word), "") if word.isascii() and word.isdigit() else (2**62, word)


def _is_whole(labels: Array) -> bool:
    return labels.dtype.kind == "f" and bool((labels == np.floor(labels)).all())


def _task_of(labels: Images, faults: list[str]) -> Task:
    """What the labels look like; whole numbers in floats might be either, and are asked about."""
    if isinstance(labels, Streamed) or np.squeeze(labels[:1]).ndim >= 2:
        return "segmentation"
    if labels.dtype.kind != "f":
        return "classification"
    if labels.size == max(labels.shape, default=0) and len(labels) and bool((labels == np.floor(labels)).all()):
        faults.append(
            f"labels of shape {labels.shape} and type {labels.dtype} came, and all are whole numbers; classes or "
            "amounts? Say so by the option task, ?task=classification or ?task=regression"
        )
    return "regression"


def _part(
    images: Images, labels: Images, which: str, task: Task, channels_first: bool, faults: list[str]
) -> tuple[Images, Images]:
    if not isinstance(labels, Streamed):
        labels = _labels(np.atleast_1d(labels), which, task, faults, len(images))
    if len(images) != len(labels):
        faults.append(f"{len(images)} {which}images and {len(labels)} {which}labels came; equally many are needed")
    if isinstance(images, Streamed):
        return images, labels
    images = np.atleast_1d(images)
    if len(images) == 0 or images.dtype.kind not in "uifb":
        faults.append(f"{len(images)} {which}images of type {images.dtype} came; numbers are needed")
        return images, labels
    layout = images if channels_first and images.ndim == 4 else channels_second(images, which, faults)
    if layout.dtype != np.uint8:
        layout = layout.astype(np.float32)
        if broken := int((~np.isfinite(layout)).sum()):
            faults.append(f"{broken} {which}pixels that are NaN or infinite came; clean the images first")
    if task == "segmentation" and not faults and labels.shape[1:] != layout.shape[2:]:
        faults.append(f"{which}masks of {labels.shape[1:]} came; {layout.shape[2:]} is needed, as the images are")
    return layout, labels


def _labels(labels: Array, which: str, task: Task, faults: list[str], count: int) -> Array:
    """Return labels in the form of a task, and zeros where they have none."""
    came = f"{which}labels of shape {labels.shape} and type {labels.dtype} came"
    if task == "segmentation":
        for axis in (1, -1):
            if labels.ndim == 4 and labels.shape[axis] == 1:
                labels = labels.squeeze(axis)
        if labels.ndim == 3 and labels.dtype.kind in "uib":
            return labels if labels.dtype == np.uint8 else labels.astype(np.int64)
        faults.append(f"{came}; masks are (N, height, width) whole numbers")
        return np.zeros((count, 1, 1), np.int64)
    if labels.ndim == 2 and labels.shape[1] == 1 and task == "classification":
        labels = labels[:, 0]
    if task == "regression":
        if labels.ndim <= 2 and labels.dtype.kind in "uif":
            return np.ascontiguousarray(labels.reshape(len(labels), -1), np.float32)
        faults.append(f"{came}; numbers (N,) or (N, targets) are needed")
        return np.zeros((count, 1), np.float32)
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        faults.append(f"{came}; one whole number each")
        return np.zeros(count, np.int64)
    return labels.astype(np.int64)


def channels_second(images: Array, which: str, faults: list[str]) -> Array:
    """Return (N, channels, height, width).

    Channels are the axis of 1, 3 or 4, or the odd one of two equal sides, or else the axis shorter than the others.
    """
    if images.ndim == 3:
        return images[:, None]
    if images.ndim == 4:
        first, middle, last = images.shape[1:]
        by_count = (first in (1, 3, 4), last in (1, 3, 4))
        by_square = (middle == last != first, first == middle != last)
        by_least = (first < min(middle, last), last < min(first, middle))
        for second, fourth in (by_count, by_square):
            if second != fourth:
                return images if second else images.transpose(0, 3, 1, 2)
        if by_count[0]:
            return images
        if by_least[0] != by_least[1]:
            return images if by_least[0] else images.transpose(0, 3, 1, 2)
    faults.append(
        f"{which}images of shape {images.shape} came; (N, height, width), (N, height, width, channels) or "
        "(N, channels, height, width) is allowed"
    )
    return images


def _classes(labels: dict[str, Any], names: Sequence[str], shape: tuple[int, ...]) -> tuple[tuple[str, ...], list[str]]:
    """Return the classes' names, and what is wrong with labels that should run from 0 to their number less one."""
    train, least_each = labels[""], 2 if "test " in labels else 3
    if not names and int(train.max()) >= max(len(train), 2):
        span = f"from {int(train.min())} to {int(train.max())}"
        return (), [f"labels {span} came for {len(train)} images; labels must run from 0 without gaps"]
    names = tuple(names or (str(number) for number in range(int(train.max()) + 1)))
    faults = []
    for which, part in labels.items():
        if int(part.min()) < 0 or int(part.max()) >= len(names):
            span = f"from {int(part.min())} to {int(part.max())}"
            faults.append(f"{which}labels {span} came; 0 to {len(names) - 1} are allowed for {len(names)} classes")
    if faults:
        return names, faults
    counts = np.bincount(train, minlength=len(names))
    if len(names) < 2 or (counts > 0).sum() < 2:
        return names, [f"one class came ({names[int(train[0])]}); at least two are needed"]
    rare = [f"{names[number]} ({counts[number]})" for number in np.flatnonzero(counts < least_each).tolist()]
    if rare:
        shown = ", ".join(rare[:5]) + (", …" if len(rare) > 5 else "")
        faults.append(
            f"too few images in {len(rare)} of {len(names)} classes: {shown}; at least {least_each} each are needed, "
            "and labels must run from 0 without gaps"
        )
    return names, faults


def _targets(labels: dict[str, Any], names: Sequence[str], shape: tuple[int, ...]) -> tuple[tuple[str, ...], list[str]]:
    """Return the targets' names, and what is wrong with their numbers."""
    train = labels[""]
    names = tuple(names or (str(number) for number in range(train.shape[1])))
    faults = []
    for which, part in labels.items():
        if broken := int((~np.isfinite(part)).sum()):
            faults.append(f"{broken} {which}labels that are NaN or infinite came; numbers are needed")
        if part.shape[1] != train.shape[1]:
            faults.append(f"{part.shape[1]} {which}targets came; {train.shape[1]} are needed, as in training")
    if len(train) < 3:
        faults.append(f"{len(train)} images came; at least 3 are needed")
    constant = [name for name, column in zip(names, train.T, strict=False) if len(train) and np.ptp(column) == 0]
    if constant and not faults:
        faults.append(f"the same number in every image came for the target {', '.join(constant)}; nothing is to learn")
    return names, faults


def _pixels(labels: dict[str, Any], names: Sequence[str], shape: tuple[int, ...]) -> tuple[tuple[str, ...], list[str]]:
    """Return the classes' names of pixels, and what is wrong with the masks."""
    faults, found = [], np.zeros(IGNORED + 1, np.int64)
    for which, part in labels.items():
        for some in pieces(part):
            if int(some.min()) < 0 or int(some.max()) > IGNORED:
                span = f"from {int(some.min())} to {int(some.max())}"
                return tuple(names), [
                    f"{which}masks with numbers {span} came; 0 to 254 are allowed, and 255 for ignored"
                ]
            found += np.bincount(some.reshape(-1), minlength=len(found))
    classes = int(np.flatnonzero(found[:IGNORED]).max(initial=0)) + 1
    names = tuple(names or (str(number) for number in range(classes)))
    if classes > len(names):
        faults.append(f"masks with the class {classes - 1} came; 0 to {len(names) - 1} are allowed")
    if classes < 2:
        faults.append("masks of one class came; at least two are needed")
    if len(labels[""]) < 3:
        faults.append(f"{len(labels[''])} images came; at least 3 are needed")
    return names, faults


_NAMED = {"classification": _classes, "regression": _targets, "segmentation": _pixels}
