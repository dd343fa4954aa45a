"""What a gradient search carries from epoch to epoch: the supernet, the gates, and both their optimizers."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nasengine.interpreters.ends import largest
from nasengine.interpreters.fused.network import Fused
from nasengine.interpreters.model import Model
from nasengine.search import kept
from nasengine.search.alike import draw_apart, join_statistics, same_gates
from nasengine.search.epochs import agreed, record_of, refuse_broken
from nasengine.search.graphed import graphs_for
from nasengine.search.group import ALONE, Alone, Part
from nasengine.search.halves import Endless, halves
from nasengine.search.lesson import Lesson
from nasengine.search.steps import Ahead, Losses, first_order, gradients_of, penalty_of, second_order
from nasengine.search.strategy import Batch, Sampler
from nasengine.space import Picks, Space
from nasengine.training import checkpoint as disk
from nasengine.training.allocator import keep_freed_memory
from nasengine.training.augment import augment_both
from nasengine.training.batches import batches, chances
from nasengine.training.data import Dataset
from nasengine.training.metrics import Meter
from nasengine.training.modes import autocast_for, set_drop_rate
from nasengine.training.optimizers import build, set_rate
from nasengine.training.pinned import file_of, pinned
from nasengine.training.recipe import Recipe
from nasengine.training.schedule import rate
from nasengine.training.start import start_from_file
from nasengine.training.task import Criterion
from nasengine.training.tasks import task_of

GATE_BETAS = (0.5, 0.999)  # of Adam on the gates, in DARTS and all that follow it


class Turns:
    """Gates and weights learning in turns on one device; `history` has a record of each epoch done.

    In a group each process has one of these, all alike: the same batches are drawn by all, gates and what they are
    drawn from are the first process', and gradients, losses and batch statistics are averaged.
    """

    def __init__(
        self,
        space: Space,
        relaxation: Sampler,
        dataset: Dataset,
        recipe: Recipe,
        seed: int,
        device: torch.device,
        group: Alone = ALONE,
    ) -> None:
        if device.type == "cpu":
            keep_freed_memory()
        self.group, self.seed = group, seed
        self.space, self.relaxation, self.recipe, self.device = space, relaxation, recipe, device
        options = getattr(relaxation, "model_options", {})
        self.model = Model(space, **options).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        if recipe.start:
            start_from_file(self.model, file_of(pinned(recipe.start)))
        self.weights = [weight for weight in self.model.parameters() if weight.requires_grad]
        self.gates = relaxation.parameters()
        self.network: Callable[[Tensor, Picks], Tensor] = Fused(self.model) if self.gates else self.model
        self.order = getattr(relaxation, "order", 1)
        self.precision = partial(autocast_for, recipe.precision if self.order == 1 else "float32", device)
        self.graphs = graphs_for(self.model, self.weights, relaxation, recipe, device, group)
        self.optimizer = build(recipe, self.weights)
        self.gate_optimizer = _adam(relaxation) if self.gates else None
        self.orders = [torch.Generator().manual_seed(seed + i) for i in (0, 1)]
        self.draws = torch.Generator().manual_seed(seed + 2)
        self.changes = torch.Generator(device).manual_seed(seed + 3)
        self._cut(dataset)
        self.identity = {
            "space": space.name, "decisions": list(space.decisions), "settings": repr(space.settings),
            "strategy": type(relaxation).__name__, "recipe": recipe.to_json(), "seed": seed,
            "images": dataset.fingerprint,
        }  # fmt: skip
        self.history: list[dict[str, Any]] = []
        self.largest = None if hasattr(relaxation, "settle") else largest(space)  # a sampler chooses nothing
        group.copy([*self.model.state_dict().values(), *self.gates])

    def _cut(self, dataset: Dataset) -> None:
        """Share the training images out between weights and gates, and set how both are judged on them."""
        recipe, seed, train = self.recipe, self.seed, dataset.train.to(self.device)
        self.for_weights, for_gates = halves(train, seed) if self.gates else (train, None)
        self.task = task_of(dataset)
        self.criterion = self.task.criterion(recipe, train.labels)
        self.gates_criterion = self.task.criterion(replace(recipe, label_smoothing=0.0), train.labels)
        self.chances = chances(self.for_weights.labels) if recipe.sampling == "balanced" else None
        self.for_gates = None if for_gates is None else Endless(for_gates, recipe.batch, self.orders[1])
        self.steps = max(len(self.for_weights) // recipe.batch, 1)

    @property
    def apart(self) -> list[str]:
        """Layers that the fused supernet does not know, each with the reason."""
        known = self.network.apart if isinstance(self.network, Fused) else {}
        return [f"{layer} ({reason})" for layer, reason in known.items()]

    def epoch(self) -> dict[str, Any]:
        """Go through the weights' images once, gates first in each step; add a record to the history."""
        began, number = time.perf_counter(), len(self.history)
        self._begin(number)
        draw_apart(self.group, self.seed, number)
        meters = Meter(self.task), Meter(self.task)
        drawn = batches(self.for_weights, self.recipe.batch, self.orders[0], True, self.chances)
        for step, batch in enumerate(drawn):
            set_rate(self.optimizer, rate(self.recipe, number + step / self.steps))
            self.step(batch, meters)
            refuse_broken(self, meters)
        refuse_broken(self, meters, last=True)
        join_statistics(self.group, self.model)
        record = agreed(self, record_of(self, meters) | {"seconds": time.perf_counter() - began})
        self.history.append(record)
        return record

    def _begin(self, number: int) -> None:
        """Tell the relaxation the time, let it look at the model, and set what rises from epoch to epoch."""
        progress = number / max(self.recipe.epochs - 1, 1)
        self.relaxation.at(progress)
        if hasattr(self.relaxation, "look"):
            with torch.no_grad():
                self.relaxation.look(self.model, progress)
            self.group.copy([*self.model.state_dict().values()])
        set_drop_rate(self.model, self.recipe.drop_path * number / self.recipe.epochs)
        self.model.train()

    def step(self, batch: Batch, meters: tuple[Meter, Meter]) -> None:
        """One step of the gates on a batch of their own, then one of the weights on this batch."""
        prepared = self._prepared(batch)
        if self.gate_optimizer is not None:
            self._gate_step(prepared, meters[0])
        self._weight_step(prepared, meters[1])

    def _prepared(self, batch: Batch) -> Part:
        """This process' part of a batch; the whole of it is changed first, as one process would do it."""
        part = self.group.part(augment_both(*batch, self.recipe, self.changes))
        return replace(part, images=part.images.contiguous(memory_format=torch.channels_last))

    def _gate_step(self, weights_batch: Part, meter: Meter) -> None:
        """One step of the gates, on the next batch of their own half."""
        assert self.gate_optimizer is not None and self.for_gates is not None
        same_gates(self.group, self.draws, self.gates)
        lesson = self._lesson(self._prepared(self.for_gates.next()), self.gates_criterion)
        pressures = []

        def gates_losses() -> Iterator[Tensor]:
            yield from lesson.losses(self.relaxation.draws(self.draws))
            pressures.append(penalty_of(self.relaxation))

        gradients = self._gates_gradients(gates_losses, weights_batch)
        loss, outputs = lesson.seen()
        loss, *gradients = self.group.average([loss, *gradients])
        meter.add(loss, outputs, lesson.part.labels)
        # the penalty is the gates' alone: its gradient stays on the CPU, no step ahead changes it
        for gate, gradient, pressure in zip(self.gates, gradients, gradients_of(pressures[0], self.gates), strict=True):
            gate.grad = gradient + pressure
        self.gate_optimizer.step()

    def _gates_gradients(self, gates_losses: Losses, weights_batch: Part) -> list[Tensor]:
        """At the weights as they are, or, in the second order, after a step on the batch that they learn from next."""
        if self.order == 1:
            return first_order(gates_losses, self.gates, self.weights)
        drawn = self.draws.get_state()

        def train_losses() -> Iterator[Tensor]:
            self.draws.set_state(drawn)
            return self._lesson(weights_batch, self.criterion).losses(self.relaxation.draws(self.draws))

        ahead = Ahead.of(self.recipe, self.optimizer, self.weights)
        return second_order(train_losses, gates_losses, self.gates, self.weights, ahead, self.group.average)

    def _weight_step(self, batch: Part, meter: Meter) -> None:
        """One step of the weights; gates are constants in it."""
        same_gates(self.group, self.draws, self.gates)
        self.optimizer.zero_grad(set_to_none=True)
        with torch.no_grad():
            draws = self.relaxation.draws(self.draws)
        lesson = self._lesson(batch, self.criterion)
        for one in lesson.losses(draws):
            if one.requires_grad:
                one.backward()  # type: ignore[no-untyped-call]
        used = [weight for weight in self.weights if weight.grad is not None]
        loss, outputs = lesson.seen()
        heard = [loss, torch.stack(lesson.every)]
        loss, every, *gradients = self.group.average([*heard, *(w.grad for w in used if w.grad is not None)])
        for weight, gradient in zip(used, gradients, strict=True):
            weight.grad = gradient
        self.optimizer.step()
        meter.add(loss, outputs, batch.labels)
        if hasattr(self.relaxation, "hear"):
            self.relaxation.hear(every.tolist())

    def _lesson(self, part: Part, criterion: Criterion) -> Lesson:
        return Lesson(self.model, self.network, self.relaxation, part, criterion, self.precision, self.graphs)

    def save(self, path: Path) -> None:
        """Write all that the next epochs depend on; the first process' file is enough for all."""
        disk.save(path, {**self.identity, **kept.state(self)})

    def restore(self, path: Path) -> None:
        """Take up what `save` wrote, if the first process has the file; TrainingError where it is of another search."""
        state = self.group.first(lambda: disk.load(path, **self.identity))
        if state is not None:
            kept.take_up(self, state)


def _adam(relaxation: Any) -> torch.optim.Optimizer:
    """The gates' own optimizer; one kernel for all, and no numbers read back."""
    return torch.optim.Adam(
        relaxation.parameters(), lr=relaxation.gate_rate, betas=GATE_BETAS, weight_decay=relaxation.gate_decay,
        fused=True,
    )  # fmt: skip
