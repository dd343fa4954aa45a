"""One class for each image: cross-entropy, accuracy, and figures that rare classes count in as much as others."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from torch import Tensor
from torch.nn import functional

from nasengine.training.counting import balanced_weights, counts, f1, recall, sized
from nasengine.training.recipe import Recipe
from nasengine.training.task import Criterion, Tallies

TOP = 5


@dataclass(frozen=True)
class Classification:
    """Outputs (batch, classes), labels (batch,).

    accuracy; balanced_accuracy: the mean over classes of the share found; f1: the mean over classes; top5_accuracy:
    the share whose class is among the five largest outputs, where there are more than five classes.
    """

    name: ClassVar[str] = "classification"
    figure: ClassVar[str] = "accuracy"
    figures: ClassVar[tuple[str, ...]] = ("accuracy", "balanced_accuracy", "f1", "top5_accuracy")
    losses: ClassVar[tuple[str, ...]] = ("cross-entropy",)
    usual: ClassVar[Mapping[str, Any]] = MappingProxyType({})

    def output(self, input: tuple[int, ...], classes: int) -> tuple[int, ...]:
        """One score a class."""
        return (classes,)

    def loss(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy."""
        return functional.cross_entropy(outputs, labels)

    def criterion(self, recipe: Recipe, labels: Tensor) -> Criterion:
        """Cross-entropy with the recipe's smoothing and weights of classes."""
        smoothing = recipe.label_smoothing
        if recipe.class_weights == "none":
            return lambda outputs, wanted: functional.cross_entropy(outputs, wanted, label_smoothing=smoothing)
        weights = balanced_weights(labels)

        def weighted(outputs: Tensor, wanted: Tensor) -> Tensor:
            # divided by the images, not by their weights: so the parts of a batch add up to the whole
            each = sized(weights, outputs.shape[1])
            total = functional.cross_entropy(outputs, wanted, each, label_smoothing=smoothing, reduction="sum")
            return total / len(wanted)

        return weighted

    def tally(self, outputs: Tensor, labels: Tensor, full: bool) -> Tallies:
        """Hits; in full also what each class got, and hits among the five first."""
        said = outputs.argmax(1)
        hits = (said == labels).sum()
        if not full:
            return (hits,)
        classes = outputs.shape[1]
        among = outputs.topk(min(TOP, classes), dim=1).indices
        return hits, counts(said, labels, classes), (among == labels[:, None]).sum()

    def read(self, tallies: Tallies, images: int) -> dict[str, float]:
        """The accuracy, and what else was counted."""
        figures = {"accuracy": float(tallies[0]) / images}
        if len(tallies) > 1:
            table = tallies[1].cpu()
            figures |= {"balanced_accuracy": recall(table), "f1": f1(table)}
            if table.shape[1] > TOP:
                figures["top5_accuracy"] = float(tallies[2]) / images
        return figures
