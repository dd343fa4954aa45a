"""What a gradient search carries from epoch to epoch: the supernet, the gates, and both their optimizers."""

import contextlib
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nasengine.errors import TrainingError
from nasengine.interpreters.model import Model
from nasengine.search import kept
from nasengine.search.group import ALONE, Alone, Part
from nasengine.search.halves import Endless, halves
from nasengine.search.steps import Ahead, average_loss, first_order, gradients, moved, second_order
from nasengine.search.strategy import Batch, Relaxation
from nasengine.search.watch import figures
from nasengine.space import Picks, Space
from nasengine.training import checkpoint as disk
from nasengine.training.augment import augment
from nasengine.training.batches import batches
from nasengine.training.data import Dataset
from nasengine.training.metrics import Meter
from nasengine.training.optimizers import build, set_rate
from nasengine.training.recipe import Recipe
from nasengine.training.schedule import rate

GATE_BETAS = (0.5, 0.999)  # of Adam on the gates, in DARTS and all that follow it


class Turns:
    """Gates and weights learning in turns on one device; `history` has a record of each epoch done.

    In a group each process has one of these, all alike: the same batches are drawn by all, gates and what they are
    drawn from are the first process', and gradients, losses and batch statistics are averaged.
    """

    def __init__(
        self,
        space: Space,
        relaxation: Relaxation,
        dataset: Dataset,
        recipe: Recipe,
        seed: int,
        device: torch.device,
        group: Alone = ALONE,
    ) -> None:
        self.group, self.seed = group, seed
        self.space, self.relaxation, self.recipe, self.device = space, relaxation, recipe, device
        self.model = Model(space).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.weights = [weight for weight in self.model.parameters() if weight.requires_grad]
        self.gates = relaxation.parameters()
        self.optimizer = build(recipe, self.weights)
        self.gate_optimizer = _adam(relaxation) if self.gates else None
        self.orders = [torch.Generator().manual_seed(seed + i) for i in (0, 1)]
        self.draws = torch.Generator().manual_seed(seed + 2)
        self.changes = torch.Generator(device).manual_seed(seed + 3)
        self.for_weights, for_gates = halves(dataset.train.to(device), seed)
        self.for_gates = Endless(for_gates, recipe.batch, self.orders[1])
        self.steps = max(len(self.for_weights) // recipe.batch, 1)
        self.identity = {
            "space": space.name, "decisions": list(space.decisions), "settings": repr(space.settings),
            "strategy": type(relaxation).__name__, "recipe": recipe.to_json(), "seed": seed,
            "images": dataset.fingerprint,
        }  # fmt: skip
        self.history: list[dict[str, Any]] = []
        group.copy([*self.model.state_dict().values(), *self.gates])

    def epoch(self) -> dict[str, Any]:
        """Go through the weights' half once, gates first in each step; add a record to the history."""
        began, number = time.perf_counter(), len(self.history)
        self.relaxation.at(number / max(self.recipe.epochs - 1, 1))
        self.model.train()
        self._draw_apart(number)
        meters = Meter(), Meter()
        for step, batch in enumerate(batches(self.for_weights, self.recipe.batch, self.orders[0], drop_last=True)):
            set_rate(self.optimizer, rate(self.recipe, number + step / self.steps))
            self.step(batch, meters)
            self._refuse_broken(meters, number)
        self._refuse_broken(meters, number, last=True)
        self._join_statistics()
        record = self._agreed(self._record(number, *meters) | {"seconds": time.perf_counter() - began})
        self.history.append(record)
        return record

    def step(self, batch: Batch, meters: tuple[Meter, Meter]) -> None:
        """One step of the gates on a batch of their own, then one of the weights on this batch."""
        prepared = self._prepared(batch)
        if self.gate_optimizer is not None:
            self._gate_step(prepared, meters[0])
        self._weight_step(prepared, meters[1])

    def _prepared(self, batch: Batch) -> Part:
        """This process' part of a batch; the whole of it is changed first, as one process would do it."""
        changed = augment(batch[0], self.recipe, self.changes)
        part = self.group.part((changed, batch[1]))
        return replace(part, images=part.images.contiguous(memory_format=torch.channels_last))

    def _gate_step(self, weights_batch: Part, meter: Meter) -> None:
        """One step of the gates, on the next batch of their own half."""
        assert self.gate_optimizer is not None
        self._same_gates()
        batch = self._prepared(self.for_gates.next())
        seen: list[Tensor] = []

        def gates_loss() -> Tensor:
            loss, outputs = self._loss(batch)
            seen.extend([loss, outputs, self.relaxation.penalty()])
            return loss

        if self.relaxation.order == 2:
            drawn = self.draws.get_state()

            def train_loss() -> Tensor:
                self.draws.set_state(drawn)
                return self._loss(weights_batch, self.recipe.label_smoothing)[0]

            ahead = Ahead.of(self.recipe, self.optimizer, self.weights)
            slopes = second_order(train_loss, gates_loss, self.gates, self.weights, ahead, self.group.average)
        else:
            slopes = first_order(gates_loss, self.gates, self.weights)
        loss, *slopes = self.group.average([seen[0], *slopes])
        meter.add(loss, seen[1], batch.labels)
        # the penalty is the gates' alone: its gradient stays on the CPU, no step ahead changes it
        for gate, slope, pressure in zip(self.gates, slopes, gradients(seen[2], self.gates), strict=True):
            gate.grad = slope + pressure
        self.gate_optimizer.step()

    def _weight_step(self, batch: Part, meter: Meter) -> None:
        """One step of the weights; gates are constants in it."""
        self._same_gates()
        self.optimizer.zero_grad(set_to_none=True)
        loss, outputs = self._loss(batch, self.recipe.label_smoothing, constant=True)
        loss.backward()  # type: ignore[no-untyped-call]
        used = [weight for weight in self.weights if weight.grad is not None]
        loss, *slopes = self.group.average([loss, *(weight.grad for weight in used if weight.grad is not None)])
        for weight, slope in zip(used, slopes, strict=True):
            weight.grad = slope
        self.optimizer.step()
        meter.add(loss, outputs, batch.labels)

    def _loss(self, batch: Part, smoothing: float = 0.0, constant: bool = False) -> tuple[Tensor, Tensor]:
        """The loss of fresh draws, and the outputs (batch, classes) of the first of them."""
        outputs: list[Tensor] = []

        def forward(images: Tensor, picks: Picks) -> Tensor:
            with self._precision():
                outputs.append(self.model(images, moved(picks, self.device)).float())
            return outputs[-1]

        def loss_of(logits: Tensor, labels: Tensor) -> Tensor:
            return nn.functional.cross_entropy(logits, labels, label_smoothing=smoothing)

        with torch.set_grad_enabled(not constant):
            draws = self.relaxation.draws(self.draws)
        step = getattr(self.relaxation, "step", average_loss)
        try:
            return step(forward, loss_of, (batch.images, batch.labels), draws) * batch.weight, outputs[0]
        except ValueError as error:
            if "more than 1 value per channel" not in str(error):
                raise
            raise TrainingError(
                f"supernet of {self.space.name}: {error}; norms over a batch need larger batches or larger images"
            ) from error

    def _precision(self) -> contextlib.AbstractContextManager[Any]:
        wanted = self.recipe.precision if self.relaxation.order == 1 else "float32"
        if wanted == "bfloat16" or (wanted == "auto" and self.device.type == "cuda"):
            return torch.autocast(self.device.type, torch.bfloat16)
        return contextlib.nullcontext()

    def _record(self, number: int, of_gates: Meter, of_weights: Meter) -> dict[str, Any]:
        architecture, gates = self.relaxation.settle(), self.relaxation.gates()
        train, gate = self._read(of_weights), self._read(of_gates) if self.gates else {}
        return {
            "epoch": number + 1,
            **{f"train_{name}": value for name, value in train.items()},
            **{f"gate_{name}": value for name, value in gate.items()},
            "penalty": float(self.relaxation.penalty().detach()),
            **figures(self.space, architecture, gates),
            "architecture": architecture.to_json(),
            "outside": list(getattr(self.relaxation, "outside", ())),
            "lr": self.optimizer.param_groups[0]["lr"],
        }

    def _read(self, meter: Meter) -> dict[str, float]:
        return self.group.mean(meter.read(), sum(meter.sizes))

    def _agreed(self, record: dict[str, Any]) -> dict[str, Any]:
        """The first process' record; TrainingError where another one settles on another architecture."""
        agreed = self.group.first(lambda: record)
        if self.group.least(int(record["architecture"] == agreed["architecture"])) == 0:
            raise TrainingError(
                f"supernet of {self.space.name}: the processes settled on different architectures in epoch "
                f"{record['epoch']}; {type(self.relaxation).__name__} must draw from the generator that it is given, "
                "and from no other source"
            )
        return agreed

    def _same_gates(self) -> None:
        """Bring gates, and what they are drawn with, from the first process: processors differ in their last digits."""
        if self.group.size > 1:
            state = self.draws.get_state()
            self.group.copy([state, *self.gates])
            self.draws.set_state(state)

    def _draw_apart(self, epoch: int) -> None:
        """Let layers that draw, such as dropout, draw apart in each process; the same again after a restart."""
        if self.group.rank > 0:
            torch.manual_seed(self.seed + ((epoch + 1) * self.group.size + self.group.rank) * 2**20)

    def _join_statistics(self) -> None:
        """Average what norms have seen of their own parts, so that there is one model."""
        seen = [buffer for buffer in self.model.buffers() if buffer.is_floating_point()]
        if self.group.size > 1 and seen:
            for buffer, mean in zip(seen, self.group.average(seen), strict=True):
                buffer.copy_(mean)

    def _refuse_broken(self, meters: tuple[Meter, Meter], epoch: int, last: bool = False) -> None:
        for what, meter in zip(("gates", "weights"), meters, strict=True):
            step = meter.first_broken(last)
            if step is not None:
                lr = rate(self.recipe, epoch + step / self.steps)
                raise TrainingError(
                    f"supernet of {self.space.name}: the loss of the {what} was no finite number in epoch {epoch + 1}, "
                    f"step {step + 1} (of {self.steps}), with {self.recipe.optimizer} at lr {lr:.3g}; try a smaller "
                    "lr or a clip of 1 to 5 in the supernet's recipe, or a smaller gate_rate of the strategy"
                )

    def save(self, path: Path) -> None:
        """Write all that the next epochs depend on; the first process' file is enough for all."""
        disk.save(path, {**self.identity, **kept.state(self)})

    def restore(self, path: Path) -> None:
        """Take up what `save` wrote, if the first process has the file; TrainingError where it is of another search."""
        state = self.group.first(lambda: disk.load(path, **self.identity))
        if state is not None:
            kept.take_up(self, state)


def _adam(relaxation: Relaxation) -> torch.optim.Optimizer:
    """The gates' own optimizer; one kernel for all, and no numbers read back."""
    return torch.optim.Adam(
        relaxation.parameters(), lr=relaxation.gate_rate, betas=GATE_BETAS, weight_decay=relaxation.gate_decay,
        fused=True,
    )  # fmt: skip
