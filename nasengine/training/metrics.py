"""Loss and figures over many steps, kept on the device so that no step waits for it."""

import torch
from torch import Tensor, nn

from nasengine.training.batches import batches
from nasengine.training.data import Split
from nasengine.training.tasks import CLASSIFICATION, Task

# A GPU is waited for once in so many steps, to see whether the loss is still a number.
PATIENCE = 50


class Meter:
    """Gathers loss and figures of batches; `first_broken` asks the device rarely, `read` once at the end.

    `full` for all figures of the task, else for those that are cheap in every step of a training.
    """

    def __init__(self, task: Task = CLASSIFICATION, full: bool = False) -> None:
        self.task, self.full = task, full
        self.losses: list[Tensor] = []
        self.tallies: tuple[Tensor, ...] = ()
        self.sizes: list[int] = []
        self.seen = 0

    def add(self, loss: Tensor, outputs: Tensor, labels: Tensor) -> None:
        """Take in one batch: its mean loss, the network's outputs and the labels."""
        self.losses.append(loss.detach())
        fresh = self.task.tally(outputs.detach(), labels, self.full)
        self.tallies = tuple(a + b for a, b in zip(self.tallies, fresh, strict=True)) if self.tallies else fresh
        self.sizes.append(len(labels))

    def first_broken(self, last: bool = False) -> int | None:
        """Return the first step whose loss was no finite number; on a GPU looked for only now and then, or at last."""
        waiting = len(self.losses) - self.seen
        if waiting == 0 or (self.losses[-1].is_cuda and waiting < PATIENCE and not last):
            return None
        fine = torch.isfinite(torch.stack(self.losses[self.seen :])).tolist()
        self.seen, start = len(self.losses), self.seen
        return None if all(fine) else start + fine.index(False)

    def read(self) -> dict[str, float]:
        """Return the task's figures over all images, and the mean loss."""
        sizes = torch.tensor(self.sizes, dtype=torch.float64)
        losses = torch.stack(self.losses).double().cpu()
        mean = float((losses * sizes).sum()) / float(sizes.sum())
        return {**self.task.read(self.tallies, sum(self.sizes)), "loss": mean}


@torch.no_grad()
def evaluate(model: nn.Module, split: Split, batch: int = 256, task: Task = CLASSIFICATION) -> dict[str, float]:
    """Return the loss and all figures of a model in evaluation mode, on the device it is on; its mode is put back.

    Of a classification these are accuracy, balanced_accuracy, f1, loss and, beyond five classes, top5_accuracy.
    """
    device = next((weight.device for weight in model.parameters()), torch.device("cpu"))
    was_training, meter = model.training, Meter(task, full=True)
    model.eval()
    try:
        for images, labels in batches(split.to(device), batch):
            outputs = model(images.contiguous(memory_format=torch.channels_last)).float()
            meter.add(task.loss(outputs, labels), outputs, labels)
    finally:
        model.train(was_training)
    return meter.read()
