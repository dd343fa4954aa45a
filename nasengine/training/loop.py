"""One training from epoch to epoch, and its state on disk."""

import contextlib
import math
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from nasengine.errors import TrainingError
from nasengine.training import checkpoint
from nasengine.training.allocator import keep_freed_memory
from nasengine.training.augment import augment_both
from nasengine.training.batches import batches, chances
from nasengine.training.compiled import Forward, compiled, pays
from nasengine.training.data import Split
from nasengine.training.metrics import Meter, evaluate
from nasengine.training.modes import autocast_for, set_drop_rate
from nasengine.training.natively import natively
from nasengine.training.optimizers import build, set_rate
from nasengine.training.recipe import Recipe
from nasengine.training.schedule import rate
from nasengine.training.tasks import CLASSIFICATION, Task, check_recipe

CHECKED = 256  # images measured at once, at most, where the memory is known to be scarce


class Training:
    """What one training carries from epoch to epoch."""

    def __init__(
        self,
        model: nn.Module,
        train: Split,
        recipe: Recipe,
        seed: int,
        device: torch.device,
        micro_batch: int | None = None,
        task: Task = CLASSIFICATION,
    ) -> None:
        check_recipe(task, recipe)
        if device.type == "cpu":
            keep_freed_memory()
        self.model = model.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.train, self.recipe, self.seed, self.device = train, recipe, seed, device
        self.micro_batch, self.task = micro_batch, task
        self.criterion = task.criterion(recipe, train.labels)
        self.chances = chances(train.labels) if recipe.sampling == "balanced" else None
        self.optimizer = build(recipe, model.parameters())
        self.forward: Forward = self._forward  # of whole batches; those that are smaller stay as they are
        self.order = torch.Generator().manual_seed(seed)
        self.changes = torch.Generator(device).manual_seed(seed + 1)
        self.history: list[dict[str, float]] = []
        # Batch statistics of a single image are undefined, so a last batch of one is left out.
        self.drop_last = len(train) % recipe.batch == 1
        rounding = math.floor if self.drop_last else math.ceil
        self.steps = max(rounding(len(train) / recipe.batch), 1)

    def epoch(self, validation: Split | None) -> None:
        """Train through the images once, check, and add a record to the history."""
        began, number, meter = time.perf_counter(), len(self.history), Meter(self.task)
        set_drop_rate(self.model, self.recipe.drop_path * number / self.recipe.epochs)
        self.model.train()
        if self.forward == self._forward and pays(self.recipe, self.history):
            self.forward = compiled(self._forward)
        with natively(self.model) if self.forward == self._forward else contextlib.nullcontext():
            for step, (images, labels) in enumerate(self._batches()):
                set_rate(self.optimizer, rate(self.recipe, number + step / self.steps))
                self._step(images, labels, meter)
                self._refuse_broken(meter.first_broken(), number)
        self._refuse_broken(meter.first_broken(last=True), number)
        record = {"epoch": number + 1} | {f"train_{name}": value for name, value in meter.read().items()}
        if validation is not None:
            checked = evaluate(self.model, validation, batch_of_checks(self.micro_batch), self.task)
            record |= {f"validation_{name}": value for name, value in checked.items()}
            if not math.isfinite(record["validation_loss"]):
                self._refuse_broken(self.steps - 1, number)
        record |= {"lr": self.optimizer.param_groups[0]["lr"], "seconds": time.perf_counter() - began}
        self.history.append(record)

    def _batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        for batch in batches(self.train, self.recipe.batch, self.order, self.drop_last, self.chances):
            images, labels = augment_both(*batch, self.recipe, self.changes)
            yield images.contiguous(memory_format=torch.channels_last), labels

    def _step(self, images: Tensor, labels: Tensor, meter: Meter) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        parts = _parts(len(labels), self.micro_batch)
        passed = [
            self._pass(*some, len(some[1]) / len(labels))
            for some in zip(images.split(parts), labels.split(parts), strict=True)
        ]
        self.optimizer.step()
        losses, logits = zip(*passed, strict=True)
        meter.add(torch.stack(losses).sum(), torch.cat(logits), labels)

    def _pass(self, images: Tensor, labels: Tensor, share: float) -> tuple[Tensor, Tensor]:
        """Add a part's gradients, by its share of the batch; return its share of the main loss, and the logits."""

        def loss_of(logits: Tensor) -> Tensor:
            return share * self.criterion(logits.float(), labels)

        with autocast_for(self.recipe.precision, self.device):
            whole = len(images) == self.recipe.batch
            logits, asides = self.forward(images) if whole else self._forward(images)
        loss = main = loss_of(logits)
        for aside in asides.values():
            loss = loss + self.recipe.auxiliary * loss_of(aside)
        loss.backward()
        return main.detach(), logits.detach()

    def _forward(self, images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        if self.recipe.auxiliary and hasattr(self.model, "forward_with_asides"):
            both: tuple[Tensor, dict[str, Tensor]] = self.model.forward_with_asides(images)
            return both
        return self.model(images), {}

    def _refuse_broken(self, step: int | None, epoch: int) -> None:
        if step is not None:
            lr = rate(self.recipe, epoch + step / self.steps)
            raise TrainingError(
                f"training: the loss was no finite number in epoch {epoch + 1}, step {step + 1} (of {self.steps}), "
                f"with {self.recipe.optimizer} at lr {lr:.3g}; try a smaller recipe.lr, a recipe.clip of 1 to 5, a "
                'recipe.warmup, or recipe.precision "float32"'
            )

    def save(self, path: Path) -> None:
        """Write all that the next epochs depend on."""
        state = {
            "recipe": self.recipe.to_json(),
            "seed": self.seed,
            "images": len(self.train),
            "history": self.history,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "order": self.order.get_state(),
            "changes": self.changes.get_state(),
            "draws": torch.get_rng_state(),
        }
        if self.device.type == "cuda":
            state["draws_cuda"] = torch.cuda.get_rng_state(self.device)
        checkpoint.save(path, state)

    def restore(self, path: Path) -> None:
        """Take up what `save` wrote, if the file is there."""
        expected = {"recipe": self.recipe.to_json(), "seed": self.seed, "images": len(self.train)}
        state = checkpoint.load(path, **expected)
        if state is None:
            return
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.history = state["history"]
        self.order.set_state(state["order"])
        self.changes.set_state(state["changes"])
        torch.set_rng_state(state["draws"])
        if self.device.type == "cuda" and "draws_cuda" in state:
            torch.cuda.set_rng_state(state["draws_cuda"], self.device)


def batch_of_checks(micro_batch: int | None) -> int | None:
    """Return how many images are measured at once: no more than may be trained on at once, where that is known."""
    return None if micro_batch is None else min(micro_batch, CHECKED)


def _parts(count: int, micro_batch: int | None) -> list[int]:
    """Return the sizes of a batch's parts: even, at most `micro_batch`, but 3 rather than 1, which has no variance."""
    if micro_batch is None or count <= micro_batch:
        return [count]
    number = max(min(-(-count // micro_batch), count // 2), 1)
    return [count // number + (place < count % number) for place in range(number)]
