"""Numbers for each image: squared or Huber's error, the share of the variance that is told, errors in own units."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from nasengine.training.recipe import Recipe
from nasengine.training.task import Criterion, Tallies


@dataclass(frozen=True)
class Regression:
    """Outputs and labels (batch, targets), labels standardised; `std`, one a target, brings errors back to their units.

    r2: 1 less the squared error over that of always saying the mean; mae and rmse: mean absolute and root mean squared
    error. All three are means over the targets.
    """

    std: tuple[float, ...] = ()

    name: ClassVar[str] = "regression"
    figure: ClassVar[str] = "r2"
    figures: ClassVar[tuple[str, ...]] = ("r2", "mae", "rmse")
    losses: ClassVar[tuple[str, ...]] = ("mse", "huber")
    # A shifted image may have other numbers: where something is, or how much of it is seen.
    usual: ClassVar[Mapping[str, Any]] = MappingProxyType({"crop": 0.0})

    def output(self, input: tuple[int, ...], classes: int) -> tuple[int, ...]:
        """One number a target."""
        return (classes,)

    def loss(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """The mean squared error, of standardised targets."""
        return functional.mse_loss(outputs, labels)

    def criterion(self, recipe: Recipe, labels: Tensor) -> Criterion:
        """The squared error, or Huber's, which is linear beyond one standard deviation."""
        return functional.huber_loss if recipe.loss == "huber" else functional.mse_loss

    def tally(self, outputs: Tensor, labels: Tensor, full: bool) -> Tallies:
        """Sums (4, targets) of squared errors, absolute errors, labels and squared labels."""
        wanted = labels.double()
        errors = outputs.detach().double() - wanted
        return (torch.stack([errors.square().sum(0), errors.abs().sum(0), wanted.sum(0), wanted.square().sum(0)]),)

    def read(self, tallies: Tallies, images: int) -> dict[str, float]:
        """The share of the variance told, and the errors in the targets' own units."""
        squared, absolute, total, total_squared = tallies[0].cpu()
        spread = total_squared - total.square() / images
        told = torch.where(spread > 0, 1 - squared / spread, torch.where(squared > 0, 0.0, 1.0).double())
        units = torch.tensor(self.std or (1.0,) * len(squared), dtype=torch.float64)
        return {
            "r2": float(told.mean()),
            "mae": float((absolute / images * units).mean()),
            "rmse": float(((squared / images).sqrt() * units).mean()),
        }
