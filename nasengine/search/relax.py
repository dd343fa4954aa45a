"""The gradient loop: weights of a supernet and gates over its options, learned in turns."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from nasengine.errors import TrainingError
from nasengine.interpreters.model import Model
from nasengine.search.group import ALONE, Alone
from nasengine.search.steps import refuse_other_optimizers
from nasengine.search.strategy import Sampler
from nasengine.search.turns import Turns
from nasengine.search.watch import warnings
from nasengine.space import Architecture, Space
from nasengine.training.checkpoint import Saver
from nasengine.training.data import Dataset
from nasengine.training.fit import pick_device
from nasengine.training.recipe import Recipe

Policy = Literal["last", "best"]
Gates = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Relaxed:
    """What a gradient search leaves: the architecture chosen by `policy` in `epoch` (from 1), and how it went.

    A sampler chooses none: then it is the largest network of the space, after the last epoch.
    """

    architecture: Architecture
    model: Model  # the supernet after the last epoch
    epochs: list[dict[str, Any]]
    values: dict[str, float]  # figures of the epoch chosen
    policy: Policy
    epoch: int
    parameters: list[Tensor]  # the relaxation's own after the last epoch


def relax(
    space: Space,
    relaxation: Sampler,
    dataset: Dataset,
    recipe: Recipe,
    *,
    seed: int = 0,
    device: str = "cpu",
    policy: Policy = "last",
    checkpoint: Path | None = None,
    on_epoch: Callable[[dict[str, Any], Gates], None] | None = None,
    on_note: Callable[[str], None] = lambda note: None,
    out_of_time: Callable[[], bool] = lambda: False,
    batch_for: Callable[[Space, int], int] | None = None,
    group: Alone = ALONE,
) -> Relaxed:
    """Train a space's supernet for recipe.epochs while a relaxation learns its gates, and settle on an architecture.

    The training images are cut in two halves by the seed: weights learn from one, gates from the other. Where there
    are no gates, as in most samplers, the weights learn from all. Validation and test images are not touched, so that
    what is found can be judged on them. In each iteration the gates step first (Adam, with the relaxation's `gate_rate`
    and `gate_decay`), then the weights (the recipe's optimizer, alone clipped). Neither step computes the other's
    gradients. A second order looks ahead one step on the very batch that the weights learn from next, in single
    precision. Drop path rises linearly from 0 to recipe.drop_path, as in `fit`.

    A record of an epoch holds epoch (from 1), train_loss and train_accuracy (of the first network that a step drew, on
    the labels), gate_loss, gate_accuracy (on the gates' half, as drawn, before each step), penalty, skip_share,
    skip_shares, gate_entropy, architecture, lr and seconds; a sampler's lacks what is said of gates. `on_epoch` gets it
    with the gates' strengths. `policy` "best" chooses the epoch of highest gate_accuracy. After the first epoch, later
    at times that `Saver` chooses, and in the end `checkpoint` is written; where it is there already, the search goes on
    from it to the same numbers.
    Other tasks than classification have figures of their own instead of the accuracy, such as gate_r2 and gate_iou.
    `batch_for(space, batch)` may lower the batch, or raise, before anything is built. Raises TrainingError where the
    loss is no finite number.

    In a `group` every process calls this with the same arguments, and recipe.batch is the joint batch that they share:
    they learn what one process would, but for batch norms, which see their own process' images. The callbacks and the
    checkpoint are the first process' alone.
    """
    if policy not in ("last", "best"):
        raise TrainingError(f'policy: "{policy}" came; "last" and "best" are allowed')
    if getattr(relaxation, "order", 1) == 2:
        refuse_other_optimizers(recipe)
    batch = recipe.batch if batch_for is None else batch_for(space, recipe.batch)
    images = len(dataset.train) // (2 if relaxation.parameters() else 1)
    _refuse_small(min(batch, images), recipe, dataset, group.size)
    place = pick_device(device)
    cuda = [torch.cuda.current_device()] if place.type == "cuda" else []
    with torch.random.fork_rng(devices=cuda):
        torch.manual_seed(seed)
        turns = Turns(space, relaxation, dataset, dataclasses.replace(recipe, batch=batch), seed, place, group)
        if checkpoint is not None:
            turns.restore(checkpoint)
        tell = _Telling(turns, checkpoint, on_epoch, on_note)
        if turns.apart and group.rank == 0:
            on_note(f"layers that are not run together, but one by one: {'; '.join(turns.apart)}")
        while len(turns.history) < recipe.epochs:
            if len(turns.history) > 0 and group.first(out_of_time):
                break
            group.first(partial(tell, turns.epoch()))
        group.first(tell.saver.save)
    turns.graphs = None  # their memory is free for what comes next, whoever still holds the search
    say = on_note if group.rank == 0 else lambda note: None
    return settled(turns.history, turns.model, turns.gates, policy, say, turns.task.figure)


def _refuse_small(joint: int, recipe: Recipe, dataset: Dataset, processes: int) -> None:
    """Raise TrainingError unless every process gets two images of each batch."""
    least = joint // processes
    if least < 2:
        shared = "" if processes == 1 else f" for {processes} processes"
        raise TrainingError(
            f"relax: batches of {least} image{'' if least else 's'} came from recipe.batch {recipe.batch} and "
            f"{len(dataset.train)} training images{shared}; norms over a batch need at least 2 images in each"
        )


class _Telling:
    """What the first process does after each epoch: save, report, and say each warning once."""

    def __init__(
        self,
        turns: Turns,
        checkpoint: Path | None,
        on_epoch: Callable[[dict[str, Any], Gates], None] | None,
        on_note: Callable[[str], None],
    ) -> None:
        self.saver = Saver(partial(turns.save, checkpoint) if checkpoint is not None else lambda: None)
        self.turns, self.on_epoch, self.on_note = turns, on_epoch, on_note
        self.said: set[str] = set()

    def __call__(self, record: dict[str, Any]) -> None:
        """Save, if it is time, and report one epoch."""
        self.saver.epoch_done(partial(self._report, record))

    def _report(self, record: dict[str, Any]) -> None:
        if self.on_epoch is not None:
            self.on_epoch(dict(record), self.turns.relaxation.gates())
        for kind, note in warnings(record):
            if kind not in self.said:
                self.on_note(f"epoch {record['epoch']}: {note}")
            self.said.add(kind)


def settled(
    history: list[dict[str, Any]],
    model: Model,
    parameters: Sequence[Tensor],
    policy: Policy,
    on_note: Callable[[str], None],
    figure: str = "accuracy",
) -> Relaxed:
    """The architecture of the epoch that the policy chooses, by the gates' `figure`; the last where none is gated."""
    choosing = policy == "best" and "outside" in history[-1]  # else a sampler, which has nothing to choose
    chosen = max(history, key=lambda record: record.get(f"gate_{figure}", 0.0)) if choosing else history[-1]
    architecture = Architecture.from_json(chosen["architecture"])
    if chosen.get("outside"):
        on_note(
            f"the published rule would have left the space at {', '.join(chosen['outside'])}; "
            "the best legal architecture of its ranking was taken"
        )
    figures = {name: value for name, value in chosen.items() if isinstance(value, float)}
    values = {name: value for name, value in figures.items() if name not in ("lr", "seconds")}
    own = [tensor.detach() for tensor in parameters]
    return Relaxed(architecture, model, history, values, policy, chosen["epoch"], own)
