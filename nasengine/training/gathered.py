"""Arrays, torch data sets and loaders, as a user's function returns them, made into one set of images."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from nasengine.errors import DataError, did_you_mean
from nasengine.training import picture_cache
from nasengine.training.items import Items, said
from nasengine.training.raw import PART_WORDS, TEST, TRAIN, VALIDATION, Array, Images, Raw, divided
from nasengine.training.reading import Reading

ALLOWED = (
    "arrays (images, labels[, test images, test labels]), a torch data set or loader, (train, validation[, test]) of "
    "such or of (images, labels), or a nasengine Dataset is allowed"
)
Parts = list[tuple[int, Any]]


def gathered(made: Any, reading: Reading) -> Raw:
    """Return the set that was made; DataError says what came, and what is allowed."""
    if isinstance(made, Mapping) and made:
        return _of_parts(_named(made, reading), reading)
    if _is_source(made):
        return _of_parts([(TRAIN, made)], reading)
    if isinstance(made, tuple | list):
        if 2 <= len(made) <= 3 and all(_is_source(part) or _is_pair(part) for part in made):
            return _of_parts(list(zip((TRAIN, VALIDATION, TEST), made, strict=False)), reading)
        if len(made) in (2, 4) and _is_array(made[0]):
            return arrays(made)
    raise DataError(f"{reading.place}: {said(made)} came; {ALLOWED}")


def arrays(source: Sequence[Any]) -> Raw:
    """Return the set of (images, labels[, test images, test labels])."""
    if len(source) not in (2, 4):
        raise DataError(f"data from arrays: {len(source)} came; images, labels[, test images, test labels] are allowed")
    parts = [part.numpy(force=True) if isinstance(part, Tensor) else np.asarray(part) for part in source]
    return Raw(parts[0], parts[1], (parts[2], parts[3]) if len(parts) == 4 else None)


def _named(made: Mapping[str, Any], reading: Reading) -> Parts:
    """The parts of a mapping such as {"train": …, "test": …}."""
    words = {str(word).lower(): part for word, part in made.items()}
    for word, part in words.items():
        if word not in PART_WORDS or not (_is_source(part) or _is_pair(part)):
            raise DataError(
                f"{reading.place}: {word}: {said(part)} came; train, validation and test are allowed, each arrays or a "
                f"torch data set or loader.{did_you_mean(word, PART_WORDS) if word not in PART_WORDS else ''}"
            )
    if TRAIN not in [PART_WORDS[word] for word in words]:
        raise DataError(f"{reading.place}: {', '.join(words)} came; train is needed")
    return sorted(((PART_WORDS[word], part) for word, part in words.items()), key=lambda one: one[0])


def _of_parts(parts: Parts, reading: Reading) -> Raw:
    """The set of a few parts, each of arrays, or of items that are asked for one after the other."""
    if all(_is_pair(part) for _, part in parts):
        own = {number: arrays(part) for number, part in parts}
        pairs = {number: (raw.images, raw.labels) for number, raw in own.items()}
        return Raw(*pairs[TRAIN], pairs.get(TEST), validation=pairs.get(VALIDATION))
    if any(_is_pair(part) for _, part in parts):
        raise DataError(f"{reading.place}: arrays and torch data sets came together; {ALLOWED}")
    taking = _Taking([(number, Items(part, reading.place)) for number, part in parts], reading)
    images = taking.images()
    try:
        labels = np.array(taking.labels)
    except ValueError as error:
        raise DataError(f"{reading.place}: labels of several shapes came; one shape is needed") from error
    return divided(images, labels, taking.parts)


class _Taking:
    """Takes items one after the other; labels and parts stay in memory."""

    def __init__(self, sources: list[tuple[int, Items]], reading: Reading):
        self.sources, self.reading = sources, reading
        self.labels: list[Any] = []
        self.parts: list[int] = []

    def images(self) -> Images:
        """All images: in memory, or in a file where they are too many and their number is known."""
        taken = self._taken()
        first = next(taken, None)
        if first is None:
            raise DataError(f"{self.reading.place}: no images came; {ALLOWED}")
        lengths = [source.length for _, source in self.sources]
        total = sum(length or 0 for length in lengths)
        if None in lengths or not self.reading.too_large(total * math.prod(first.shape)):
            return np.stack([first, *taken])

        def fill(target: Array) -> dict[str, Any]:
            target[0] = first
            for place, image in enumerate(taken, 1):
                target[place] = image
            return {"damaged": {}, "source": self.reading.place}

        return picture_cache.keep(None, (total, *first.shape), str(first.dtype), fill)[0]

    def _taken(self) -> Iterator[Array]:
        shape = None
        known = sum(source.length or 0 for _, source in self.sources)
        for part, source in self.sources:
            for image, label in source:
                shape = shape or image.shape
                if image.shape != shape:
                    raise DataError(
                        f"{self.reading.place}: item {len(self.labels)} is an image of {image.shape}, the first is of "
                        f"{shape}; one shape is needed"
                    )
                self.labels.append(label)
                self.parts.append(part)
                self.reading.progress(len(self.labels), max(known, len(self.labels)), "images")
                yield image


def _is_array(one: Any) -> bool:
    return isinstance(one, Tensor | np.ndarray) and one.ndim >= 3


def _is_pair(part: Any) -> bool:
    return isinstance(part, tuple | list) and len(part) == 2 and _is_array(part[0])


def _is_source(part: Any) -> bool:
    """Whether items can be asked of it: a torch data set or loader, or what is like one."""
    if isinstance(part, Tensor | np.ndarray | str | bytes | Mapping | Sequence):
        return False
    return hasattr(part, "__iter__") or (hasattr(part, "__getitem__") and hasattr(part, "__len__"))
