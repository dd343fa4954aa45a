"""Batches of images, shuffled or in order."""

from collections.abc import Iterator

import torch
from torch import Tensor

from nasengine.training.data import Split


def batches(
    split: Split,
    size: int,
    generator: torch.Generator | None = None,
    drop_last: bool = False,
    chances: Tensor | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield (images, labels) of one pass: shuffled by a CPU generator, or in order without one.

    `drop_last` leaves out a last batch that is not full, unless it is the only one. With `chances`, one an image, as
    many images are drawn by them instead, each anew: some come several times, others not at all.
    """
    if chances is not None:
        order = torch.multinomial(chances, len(split), replacement=True, generator=generator)
    else:
        order = torch.randperm(len(split), generator=generator) if generator else torch.arange(len(split))
    if drop_last and len(split) > size:
        order = order[: len(split) - len(split) % size]
    of_images, of_labels = (places.split(size) for places in split.order(order))
    for images, labels in zip(of_images, of_labels, strict=True):
        yield split.images[images], split.labels[labels]


def chances(labels: Tensor) -> Tensor:
    """Return a weight for each image (N,), on the CPU, by which every class is drawn equally often."""
    there = torch.bincount(labels.cpu()).double().clamp(min=1)
    return there.reciprocal()[labels.cpu()]
