"""Loss and figures over many steps, kept on the device so that no step waits for it."""

import contextlib
import math

import torch
from torch import Tensor, nn

from nasengine.training.allocator import keep_freed_memory
from nasengine.training.batches import batches
from nasengine.training.data import Split
from nasengine.training.folding import Followers, folded
from nasengine.training.tasks import CLASSIFICATION, Task

# A GPU is waited for once in so many steps, to see whether the loss is still a number.
PATIENCE = 50
# Pixels and images measured at once: on a CPU what stays in its cache, on a GPU what keeps it busy.
_PIXELS = {"cpu": 2**15}
_PIXELS_ELSEWHERE = 2**20
_IMAGES = {"cpu": (8, 1024)}
_IMAGES_ELSEWHERE = (256, 4096)
_FOLDED_FROM = 4  # batches: for fewer the folding costs more than it saves


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
        on_cpu = waiting and self.losses[-1].device.type == "cpu"
        if waiting == 0 or (not on_cpu and waiting < PATIENCE and not last):
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
def evaluate(model: nn.Module, split: Split, batch: int | None = None, task: Task = CLASSIFICATION) -> dict[str, float]:
    """Return the loss and all figures of a model in evaluation mode, on the device it is on; its mode is put back.

    Of a classification these are accuracy, balanced_accuracy, f1, loss and, beyond five classes, top5_accuracy.
    `batch` is how many images go through the network at once, None as many as suit the device. Beyond a few batches
    norms are folded into the convolutions before them meanwhile, which changes a loss's rounding alone.
    """
    device = next((weight.device for weight in model.parameters()), torch.device("cpu"))
    if device.type == "cpu":
        keep_freed_memory()
    was_training, meter = model.training, Meter(task, full=True)
    size = batch or _at_once(split, device)
    model.eval()
    try:
        with _folded(model, split.to(device), size):
            for images, labels in batches(split.to(device), size):
                outputs = model(images.contiguous(memory_format=torch.channels_last)).float()
                meter.add(task.loss(outputs, labels), outputs, labels)
    finally:
        model.train(was_training)
    return meter.read()


def _at_once(split: Split, device: torch.device) -> int:
    least, most = _IMAGES.get(device.type, _IMAGES_ELSEWHERE)
    return min(max(_PIXELS.get(device.type, _PIXELS_ELSEWHERE) // math.prod(split.images.shape[2:]), least), most)


def _folded(model: nn.Module, split: Split, size: int) -> contextlib.AbstractContextManager[None]:
    if len(split) < _FOLDED_FROM * size:
        return contextlib.nullcontext()
    few = split.images[torch.arange(2, device=split.labels.device)]
    with Followers(model) as followers:
        outputs = model(few.contiguous(memory_format=torch.channels_last))
    return folded(followers.pairs(outputs))
