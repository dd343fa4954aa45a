"""Arrays brought to the size and channels that were asked for, and put on disk where they are too many."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from nasengine.errors import DataError
from nasengine.training import picture_cache
from nasengine.training.raw import Array, Images, Raw
from nasengine.training.reading import Reading
from nasengine.training.streamed import Streamed, pieces, resized, resized_masks

_COUNTS = {"grey": 1, "rgb": 3, "rgba": 4}
_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as picture libraries have it
Parts = list[tuple[Images, Images]]


def arranged(raw: Raw, reading: Reading) -> Raw:
    """Return a checked set as the options want it; what its pictures' reader has done already is not done again."""
    parts: Parts = [(raw.images, raw.labels), *(part for part in (raw.validation, raw.test) if part is not None)]
    parts = [_shaped(*part, raw, reading) for part in parts]
    numbers = sum(int(np.prod(images.shape)) for images, _ in parts)
    if reading.too_large(numbers) and not isinstance(raw.images, Streamed):
        parts = list(zip(_stored([part[0] for part in parts]), _labels(parts, raw), strict=True))
    rest = iter(parts[1:])
    validation, test = (None if part is None else next(rest) for part in (raw.validation, raw.test))
    return replace(raw, images=parts[0][0], labels=parts[0][1], validation=validation, test=test)


def _shaped(images: Images, labels: Images, raw: Raw, reading: Reading) -> tuple[Images, Images]:
    size, channels = reading.options.size, reading.options.channels
    if channels is not None and images.shape[1] != _COUNTS[channels]:
        images = _in_channels(images, _COUNTS[channels], reading.place)
    if size is not None and tuple(images.shape[2:]) != (size, size):
        assert not isinstance(images, Streamed) and not isinstance(labels, Streamed)
        images = np.concatenate([_square(some, size) for some in pieces(images)])
        if raw.task == "segmentation":
            labels = np.concatenate([_square_masks(some, size) for some in pieces(labels)])
    return images, labels


def _in_channels(images: Images, wanted: int, place: str) -> Array:
    came = images.shape[1]
    if isinstance(images, Streamed) or (came, wanted) not in ((1, 3), (3, 1), (4, 3), (4, 1)):
        raise DataError(
            f"{place}: images of {came} channels came, and {wanted} are asked for; grey may become rgb, rgb or rgba "
            "grey, and rgba rgb: leave the option channels out"
        )
    if wanted == 3:
        return np.repeat(images, 3, axis=1) if came == 1 else images[:, :3]
    grey = np.concatenate([np.einsum("nchw,c->nhw", some[:, :3], _LUMINANCE) for some in pieces(images)])[:, None]
    return np.rint(grey).astype(np.uint8) if images.dtype == np.uint8 else grey


def _middle(images: Array) -> Array:
    side = min(images.shape[-2:])
    top, left = ((length - side) // 2 for length in images.shape[-2:])
    return np.ascontiguousarray(images[..., top : top + side, left : left + side])


def _square(images: Array, size: int) -> Array:
    found = resized(torch.from_numpy(_middle(images)).float(), size).numpy()
    return np.rint(found).clip(0, 255).astype(np.uint8) if images.dtype == np.uint8 else found


def _square_masks(masks: Array, size: int) -> Array:
    return resized_masks(torch.from_numpy(_middle(masks)), size).numpy().astype(masks.dtype)


def _labels(parts: Parts, raw: Raw) -> list[Images]:
    """The labels of each part: masks on disk, as their images are."""
    labels = [part[1] for part in parts]
    return _stored([np.asarray(one, np.uint8) for one in labels]) if raw.task == "segmentation" else labels


def _stored(parts: list[Any]) -> list[Images]:
    """The parts as rows of one file."""
    bounds = np.cumsum([0, *map(len, parts)])

    def fill(target: Array) -> dict[str, Any]:
        for start, part in zip(bounds, parts, strict=False):
            done = start
            for some in pieces(part):
                target[done : done + len(some)] = some
                done += len(some)
        return {"damaged": {}}

    shape = (int(bounds[-1]), *parts[0].shape[1:])
    kept, _ = picture_cache.keep(None, shape, str(parts[0].dtype), fill)
    return [kept.select(torch.arange(start, end)) for start, end in zip(bounds, bounds[1:], strict=False)]
