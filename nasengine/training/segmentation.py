"""A class for each pixel: cross-entropy, with Dice's loss on request, and the mean intersection over union."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from nasengine.training.counting import IGNORED, balanced_weights, counts, iou, sized
from nasengine.training.recipe import Recipe
from nasengine.training.task import Criterion, Tallies


@dataclass(frozen=True)
class Segmentation:
    """Outputs (batch, classes, height, width), labels (batch, height, width); pixels labelled 255 count nothing.

    iou: intersection over union of what is there and what was said, over all images, the mean over classes;
    pixel_accuracy: the share of pixels that were said rightly.
    """

    name: ClassVar[str] = "segmentation"
    figure: ClassVar[str] = "iou"
    figures: ClassVar[tuple[str, ...]] = ("iou", "pixel_accuracy")
    losses: ClassVar[tuple[str, ...]] = ("cross-entropy", "dice")
    usual: ClassVar[Mapping[str, Any]] = MappingProxyType({})

    def output(self, input: tuple[int, ...], classes: int) -> tuple[int, ...]:
        """One score a class for every pixel of the image."""
        return (classes, *input[1:])

    def loss(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy, the mean over pixels that count."""
        return _cross_entropy(outputs, labels, None, 0.0)

    def criterion(self, recipe: Recipe, labels: Tensor) -> Criterion:
        """Cross-entropy with the recipe's smoothing and weights of classes; under "dice" with Dice's loss added."""
        weights = None if recipe.class_weights == "none" else balanced_weights(labels)
        smoothing, with_dice = recipe.label_smoothing, recipe.loss == "dice"

        def descended(outputs: Tensor, wanted: Tensor) -> Tensor:
            each = None if weights is None else sized(weights, outputs.shape[1])
            loss = _cross_entropy(outputs, wanted, each, smoothing)
            return loss + dice(outputs, wanted) if with_dice else loss

        return descended

    def tally(self, outputs: Tensor, labels: Tensor, full: bool) -> Tallies:
        """What each class got."""
        return (counts(outputs.argmax(1), labels, outputs.shape[1]),)

    def read(self, tallies: Tallies, images: int) -> dict[str, float]:
        """Mean intersection over union, and the share of pixels."""
        table = tallies[0].cpu()
        right, there, _ = table.sum(1).tolist()
        return {"iou": iou(table), "pixel_accuracy": right / max(there, 1)}


def _cross_entropy(outputs: Tensor, labels: Tensor, weights: Tensor | None, smoothing: float) -> Tensor:
    """The mean over pixels that count; 0 where none does, for which torch's own mean is no number."""
    total = functional.cross_entropy(
        outputs, labels, weights, ignore_index=IGNORED, label_smoothing=smoothing, reduction="sum"
    )
    return total / (labels != IGNORED).sum().clamp(min=1)


def dice(outputs: Tensor, labels: Tensor) -> Tensor:
    """1 less twice the overlap over the sum of both areas, probabilities and labels, mean over classes.

    V-Net (Milletari et al., 2016, https://arxiv.org/abs/1606.04797), over the pixels of the whole batch. Departures:
    areas are not squared, and 1 is added above and below, so that a class that is nowhere costs nothing.
    """
    counted = (labels != IGNORED).unsqueeze(1)
    said = outputs.softmax(1) * counted
    wanted = functional.one_hot(torch.where(labels == IGNORED, 0, labels), outputs.shape[1]).movedim(-1, 1) * counted
    overlap, areas = (said * wanted).sum((0, 2, 3)), said.sum((0, 2, 3)) + wanted.sum((0, 2, 3))
    return 1 - ((2 * overlap + 1) / (areas + 1)).mean()
