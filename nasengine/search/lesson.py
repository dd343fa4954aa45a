"""One batch and the networks drawn for it: their losses, one after the other."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from nasengine.errors import TrainingError
from nasengine.interpreters.model import Model
from nasengine.search.group import Part
from nasengine.search.steps import average_losses, moved
from nasengine.search.strategy import Sampler
from nasengine.space import Picks
from nasengine.training.task import Criterion

if TYPE_CHECKING:
    from nasengine.search.graphed import Graphs


@dataclass
class Lesson:
    """What a part of a batch teaches a supernet; afterwards it knows what the losses were."""

    model: Model
    network: Callable[[Tensor, Picks], Tensor]  # the model, or what computes the same
    relaxation: Sampler
    part: Part
    criterion: Criterion = nn.functional.cross_entropy
    precision: Callable[[], AbstractContextManager[Any]] = contextlib.nullcontext
    graphs: "Graphs | None" = None  # what can do all of it at once, where it can
    outputs: Tensor | None = None  # of the first network, such as (batch, classes)
    loss: Tensor | None = None  # of the first network on the labels
    every: list[Tensor] = field(default_factory=list)  # each loss that was learned from

    def losses(self, draws: Sequence[Picks]) -> Iterator[Tensor]:
        """Each loss, to be backpropagated before the next; TrainingError where a norm has too little to go by."""
        whole = None if self.graphs is None else self.graphs(self, draws)
        if whole is not None:
            yield whole
            return
        made = getattr(self.relaxation, "losses", average_losses)
        try:
            for loss in made(self._forward, self._loss, (self.part.images, self.part.labels), draws):
                share = loss * self.part.weight
                self.every.append(share.detach())
                yield share
        except ValueError as error:
            if "more than 1 value per channel" not in str(error):
                raise
            raise TrainingError(
                f"supernet of {self.model.space.name}: {error}; norms over a batch need larger batches or larger images"
            ) from error

    def seen(self) -> tuple[Tensor, Tensor]:
        """The first network's loss on the labels, and its outputs; no finite number where any of the losses was none.

        Losses of several networks, or of one that imitates another, would tell a reader little as a sum.
        """
        total = torch.stack(self.every).sum()
        first = total if self.loss is None else self.loss * self.part.weight
        assert self.outputs is not None, "no network was run"
        return torch.where(total.isfinite(), first, total), self.outputs

    def _forward(self, images: Tensor, picks: Picks, calm: bool = False) -> Tensor:
        with calmed(self.model) if calm else contextlib.nullcontext(), self.precision():
            output: Tensor = self.network(images, moved(picks, images.device)).float()
        if self.outputs is None:
            self.outputs = output.detach()
        return output

    def _loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        loss = self.criterion(logits, labels)
        if self.loss is None:
            self.loss = loss.detach()
        return loss


@contextlib.contextmanager
def calmed(model: nn.Module) -> Iterator[None]:
    """Within it dropout and drop path do nothing, as in evaluation; norms go on as before."""
    restless = [module for module in model.modules() if module.training and is_restless(module)]
    for module in restless:
        module.training = False
    try:
        yield
    finally:
        for module in restless:
            module.training = True


def is_restless(module: nn.Module) -> bool:
    """Whether it draws random numbers in training."""
    return isinstance(module, nn.modules.dropout._DropoutNd) or getattr(module, "training_only", False)
