"""Loss and accuracy over many steps, kept on the device so that no step waits for it."""

import torch
from torch import Tensor, nn

from nasengine.training.batches import batches
from nasengine.training.data import Split

# A GPU is waited for once in so many steps, to see whether the loss is still a number.
PATIENCE = 50


class Meter:
    """Gathers loss and hits of batches; `first_broken` asks the device rarely, `read` once at the end."""

    def __init__(self) -> None:
        self.losses: list[Tensor] = []
        self.hits: list[Tensor] = []
        self.sizes: list[int] = []
        self.seen = 0

    def add(self, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Take in one batch: its mean loss, logits (batch, classes) and labels (batch,)."""
        self.losses.append(loss.detach())
        self.hits.append((logits.detach().argmax(1) == labels).sum())
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
        """Return the mean loss and the accuracy over all images."""
        sizes = torch.tensor(self.sizes, dtype=torch.float64)
        losses = torch.stack(self.losses).double().cpu()
        total = float(sizes.sum())
        return {
            "accuracy": float(torch.stack(self.hits).sum()) / total,
            "loss": float((losses * sizes).sum()) / total,
        }


@torch.no_grad()
def evaluate(model: nn.Module, split: Split, batch: int = 256) -> dict[str, float]:
    """Return {"accuracy", "loss"} of a model in evaluation mode, on the device it is on; its mode is put back."""
    device = next((weight.device for weight in model.parameters()), torch.device("cpu"))
    was_training, meter = model.training, Meter()
    model.eval()
    try:
        for images, labels in batches(split.to(device), batch):
            logits = model(images.contiguous(memory_format=torch.channels_last)).float()
            meter.add(nn.functional.cross_entropy(logits, labels), logits, labels)
    finally:
        model.train(was_training)
    return meter.read()
