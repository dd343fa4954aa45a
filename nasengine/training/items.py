"""Torch data sets and loaders read item by item, in an order that never changes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, RandomSampler, SequentialSampler, Subset, SubsetRandomSampler

from nasengine.errors import DataError
from nasengine.training.checks import channels_second
from nasengine.training.raw import Array


class Items:
    """One part of a set: `length` is None where it cannot be known before."""

    def __init__(self, part: Any, place: str):
        self.place, self.batched = place, isinstance(part, DataLoader)
        self.part = _in_order(part) if isinstance(part, DataLoader) else part
        self.length = None if isinstance(part, IterableDataset) else _length(self.part)

    def __iter__(self) -> Iterator[tuple[Array, Any]]:
        """Yield images (channels, height, width), bytes or float32, each with its label."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            for came in self._given():
                image, label = _pair(came, self.place)
                if self.batched:
                    yield from zip(_pixels(image, self.place, 4), _plain(label), strict=True)
                else:
                    yield _pixels(image, self.place, 3), _plain(label)

    def _given(self) -> Iterator[Any]:
        if self.batched or self.length is None:
            yield from self.part
        else:
            yield from (self.part[place] for place in range(self.length))


def _in_order(loader: Any) -> Any:
    """The loader without its shuffling, which is left to the training, where its sampler is one of torch's own."""
    sampler, dataset = loader.sampler, loader.dataset
    if isinstance(sampler, SubsetRandomSampler):
        dataset = Subset(dataset, sorted(sampler.indices))
    elif isinstance(dataset, IterableDataset) or type(sampler) not in (RandomSampler, SequentialSampler):
        return loader
    size = loader.batch_size or 1
    return DataLoader(dataset, size, num_workers=loader.num_workers, collate_fn=loader.collate_fn)


def _length(part: Any) -> int | None:
    """How many items there are; a loader with a sampler of its own may leave some out."""
    if not isinstance(part, DataLoader):
        return len(part) if hasattr(part, "__len__") else None
    if isinstance(part.dataset, IterableDataset) or type(part.sampler) is not SequentialSampler or part.drop_last:
        return None
    return len(part.dataset)  # type: ignore[arg-type]


def _pair(came: Any, place: str) -> tuple[Any, Any]:
    if isinstance(came, Mapping):
        came = list(came.values())
    if isinstance(came, tuple | list) and len(came) >= 2:
        return came[0], came[1]
    raise DataError(f"{place}: {said(came)} came from a data set; (image, label) is needed")


def _pixels(image: Any, place: str, axes: int) -> Array:
    """An image (channels, height, width), or a batch of them; tensors have their channels first."""
    if hasattr(image, "convert"):  # a picture of pillow
        image = np.asarray(image if image.mode in ("L", "RGB", "RGBA") else image.convert("RGB"))
    is_tensor = isinstance(image, Tensor)
    array = image.numpy(force=True) if is_tensor else np.asarray(image)
    if array.ndim == axes - 1:
        array = np.expand_dims(array, axes - 3)
    elif array.ndim == axes and not is_tensor:
        faults: list[str] = []
        array = channels_second(array if axes == 4 else array[None], "", faults)
        array = array if axes == 4 else array[0]
    if array.ndim != axes or array.dtype.kind not in "uifb":
        raise DataError(
            f"{place}: {said(image)} came as an image; a tensor (channels, height, width), an array (height, width, "
            "channels) or a picture of pillow is allowed"
        )
    return array if array.dtype == np.uint8 else array.astype(np.float32)


def _plain(label: Any) -> Any:
    if hasattr(label, "convert"):  # a mask as a picture of pillow
        return np.asarray(label)
    return label.numpy(force=True) if isinstance(label, Tensor) else label


def said(came: Any) -> str:
    """Return what something is, in a few words."""
    shape = getattr(came, "shape", None)
    if shape is not None:
        return f"{type(came).__name__} of shape {tuple(shape)}"
    if isinstance(came, Sequence) and not isinstance(came, str):
        return f"{type(came).__name__} of {len(came)} ({', '.join(type(one).__name__ for one in came[:4])})"
    return type(came).__name__
