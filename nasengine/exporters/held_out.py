"""Images that a network was not chosen by, to measure it before and after it was written."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from nasengine.exporters.format import Runs
from nasengine.training.data import Dataset, Split
from nasengine.training.metrics import evaluate
from nasengine.training.tasks import Task, task_of

MOST, LEAST, WORK = 2000, 100, 5e11  # images, and multiply-adds over all of them: seconds rather than minutes
BATCH = 50
Part = Literal["test", "validation"]


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Some images of one part of a data set; `images` of `of` there."""

    dataset: Dataset
    part: Part
    split: Split
    of: int

    @property
    def images(self) -> int:
        """How many images are measured on."""
        return len(self.split)

    @property
    def task(self) -> Task:
        """What the network was trained for."""
        return task_of(self.dataset)

    @property
    def metric(self) -> str:
        """The value's name, as in results: validation_accuracy, test_r2, …"""
        return f"{self.part}_{self._value}"

    @property
    def _value(self) -> str:
        return self.task.figure

    def measure(self, run: Runs, most: int | None = None, fixed: int | None = None, side: int | None = None) -> float:
        """The value of a network that takes at most `most` images at once, or exactly `fixed`.

        With `side`, images are first brought to that many pixels a side, and outputs for pixels back.
        """
        whole = _Run(run, fixed or most or BATCH, fixed is not None, side)
        return float(evaluate(whole, self.split, BATCH, self.task)[self._value])

    def facts(self) -> dict[str, Any]:
        """What the figures were measured on."""
        counted = {"images": self.images, "of": self.of}
        return {"data": self.dataset.name, "part": self.part, **counted, "value": self.metric}


def held_out(dataset: Dataset, part: Part, macs: int) -> HeldOut:
    """Images of a part, evenly spread over it: at most 2,000, and fewer for a network of many multiply-adds."""
    whole: Split = getattr(dataset, part)
    count = min(len(whole), max(LEAST, min(MOST, int(WORK / max(macs, 1)))))
    places = torch.linspace(0, len(whole) - 1, count).round().long()
    some = whole if count == len(whole) else Split(whole.images[places], whole.labels[places])
    return HeldOut(dataset, part, some, len(whole))


def preprocessing(dataset: Dataset) -> dict[str, Any]:
    """How images must be treated before they reach the network, and how a regression's outputs are read."""
    found: Mapping[str, Any] = {
        "bytes_divided_by": 255,
        "mean": list(dataset.mean),
        "std": list(dataset.std),
        "target_mean": list(dataset.target_mean),
        "target_std": list(dataset.target_std),
    }
    return {name: value for name, value in found.items() if value != []}


class _Run(nn.Module):
    """A loaded file as a module that takes any number of images."""

    def __init__(self, run: Runs, size: int, padded: bool, side: int | None):
        super().__init__()
        self.size, self.padded, self.side = size, padded, side
        self.run = lambda images: run(images)  # a module would be told to train, which programs refuse

    def forward(self, images: Tensor) -> Tensor:
        outputs = torch.cat([self.part(some) for some in images.contiguous().split(self.size)])
        if outputs.dim() == 4 and outputs.shape[2:] != images.shape[2:]:
            return functional.interpolate(outputs, images.shape[2:], mode="bilinear", align_corners=False)
        return outputs

    def part(self, images: Tensor) -> Tensor:
        count = len(images)
        if self.side is not None:
            images = functional.interpolate(images, (self.side, self.side), mode="bilinear", align_corners=False)
        if self.padded and count < self.size:
            images = torch.cat([images, images[-1:].expand(self.size - count, -1, -1, -1)])
        return self.run(images.contiguous())[:count]
