"""The training images of a supernet, cut in two: weights learn from one half, gates from the other."""

import torch
from torch import Tensor

from nasengine.search.strategy import Batch
from nasengine.training.data import Split


def halves(split: Split, seed: int) -> tuple[Split, Split]:
    """The images for the weights and those for the gates: two halves without overlap, drawn by the seed."""
    order = torch.randperm(len(split), generator=torch.Generator().manual_seed(seed))
    first, second = order[: len(split) - len(split) // 2], order[len(split) - len(split) // 2 :]
    return split.select(first), split.select(second)


class Endless:
    """Full batches without end: each image once a pass, shuffled anew for the next, going on where it stopped."""

    def __init__(self, split: Split, size: int, generator: torch.Generator):
        self.split, self.size, self.generator = split, min(size, len(split)), generator
        self.left = torch.empty(0, dtype=torch.int64)

    @property
    def left(self) -> Tensor:
        """The places of the images that are still to come in this pass, on the CPU."""
        return self._of_labels.cpu()

    @left.setter
    def left(self, places: Tensor) -> None:
        self._of_images, self._of_labels = self.split.order(places)

    def next(self) -> Batch:
        """The next images (batch, channels, height, width) and labels."""
        if len(self._of_labels) < self.size:
            self.left = torch.randperm(len(self.split), generator=self.generator)
        batch = self.split.images[self._of_images[: self.size]], self.split.labels[self._of_labels[: self.size]]
        self._of_images, self._of_labels = self._of_images[self.size :], self._of_labels[self.size :]
        return batch
