"""What a task has to say to a training: what to descend, and what to count."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from torch import Tensor

if TYPE_CHECKING:
    from nasengine.training.recipe import Recipe

Criterion = Callable[[Tensor, Tensor], Tensor]  # outputs and labels of a batch to a scalar
Tallies = tuple[Tensor, ...]  # numbers that add up from batch to batch


class Task(Protocol):
    """What outputs and labels mean. Outputs are in float32, labels as `nasengine.training.data.Split` has them."""

    name: ClassVar[str]
    figure: ClassVar[str]  # the one of `figures` by which candidates are compared; larger is better
    figures: ClassVar[tuple[str, ...]]  # all that may be measured, beside the loss
    losses: ClassVar[tuple[str, ...]]  # what recipe.loss may be, beside "auto"
    usual: ClassVar[Mapping[str, Any]]  # values of recipes that this task wants otherwise than they are

    def output(self, input: tuple[int, ...], classes: int) -> tuple[int, ...]:
        """The shape of a network's output for one image."""

    def loss(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """The mean loss of a batch, as it is measured on whatever was trained."""

    def criterion(self, recipe: "Recipe", labels: Tensor) -> Criterion:
        """The mean loss of a batch, as a recipe has a training descend it; `labels` are all those trained on."""

    def tally(self, outputs: Tensor, labels: Tensor, full: bool) -> Tallies:
        """What `read` needs of a batch; `full` for every figure, else for `figure` alone where that is cheaper."""

    def read(self, tallies: Tallies, images: int) -> dict[str, float]:
        """The figures of all batches together, from the sums of their tallies."""
