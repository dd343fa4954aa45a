"""What a data set is once it is loaded: three parts, and the facts that belong to them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from nasengine.training.data_words import Task
from nasengine.training.streamed import Streamed


@dataclass(frozen=True, eq=False)
class Split:
    """Normalised images (N, channels, height, width) in float32, and their labels.

    Both may stay on disk: then what is indexed is read. Take batches of them, never all.
    """

    images: Any  # Tensor or Streamed: both are indexed by places, and know their length, shape and device
    labels: Any

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def nbytes(self) -> int:
        """How much memory its images take: next to none on disk."""
        held = self.images.rows if isinstance(self.images, Streamed) else self.images
        return held.numel() * held.element_size()

    def to(self, device: torch.device | str) -> "Split":
        """Return the split with its tensors on a device; what is on disk comes to it batch by batch."""
        return Split(self.images.to(device), self.labels.to(device))

    def order(self, places: Tensor) -> tuple[Tensor, Tensor]:
        """Return places for images and for labels, each where they are looked up: on the CPU for what is on disk."""
        images, labels = (_there(numbers, places) for numbers in (self.images, self.labels))
        return images, labels

    def select(self, places: Tensor) -> "Split":
        """Return some of the images: those on disk stay there."""
        return Split(_select(self.images, places), _select(self.labels, places))


@dataclass(frozen=True, eq=False)
class Dataset:
    """One set of images in three parts that never overlap.

    `input` is (channels, height, width); `fingerprint` is a sha256 of all bytes and of the split. Images went through
    (image - mean) / std per channel, with the training images' figures, after bytes were divided by 255.
    `classes` is the number of outputs: classes, targets of a regression, or classes of a pixel. Labels are (N,) int64;
    of a regression (N, targets) float32, standardised by `target_mean` and `target_std`; of a segmentation
    (N, height, width) int64, where 255 marks pixels that do not count. `damaged` names pictures that were left out.
    `split` is how the parts came about: the seed, the limit, and the shares of validation and test, None for what the
    set brought itself.
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
    damaged: tuple[str, ...] = ()
    split: Mapping[str, Any] = field(default_factory=dict)

    @property
    def balance(self) -> tuple[int, ...] | None:
        """Images of each class in the training part; None where images have no class."""
        if self.task != "classification":
            return None
        return tuple(torch.bincount(self.train.labels, minlength=self.classes).tolist())

    @property
    def streamed(self) -> bool:
        """Whether the images stay on disk."""
        return isinstance(self.train.images, Streamed)

    @property
    def development(self) -> Split:
        """Training and validation images together: all that a final training may learn from."""
        return Split(
            _together(self.train.images, self.validation.images), _together(self.train.labels, self.validation.labels)
        )


def _there(numbers: Tensor | Streamed, places: Tensor) -> Tensor:
    return places.cpu() if isinstance(numbers, Streamed) else places.to(numbers.device)


def _select(numbers: Tensor | Streamed, places: Tensor) -> Tensor | Streamed:
    there = _there(numbers, places)
    return numbers.select(there) if isinstance(numbers, Streamed) else numbers[there]


def _together(first: Tensor | Streamed, second: Tensor | Streamed) -> Tensor | Streamed:
    if isinstance(first, Streamed) and isinstance(second, Streamed):
        return first.joined(second)
    return torch.cat([first, second])  # type: ignore[list-item]
