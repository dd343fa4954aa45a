"""Small supernets for groups of processes; every function takes the group first, and runs alone with `ALONE`."""

import random
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nasengine.errors import TrainingError
from nasengine.layers import AvgPool, Classifier, ConvNorm, Identity, SeparableConv, Zero
from nasengine.search import room
from nasengine.search.group import Alone
from nasengine.search.relax import Relaxed, relax
from nasengine.search.room import batch_that_fits, step_memory
from nasengine.search.turns import Turns
from nasengine.space import Architecture, Space, chain, choose, op, relaxed_only
from nasengine.strategies.darts import Darts
from nasengine.strategies.elastic_vit import ElasticViT
from nasengine.strategies.one_shot import OneShot
from nasengine.strategies.pr_darts import PRDarts
from nasengine.strategies.sandwich import Sandwich
from nasengine.training.data import Dataset, Split
from nasengine.training.metrics import Meter
from nasengine.training.optimizers import set_rate
from nasengine.training.recipe import Recipe

CPU = torch.device("cpu")
MADE = {
    "darts": Darts, "second": partial(Darts, order=2), "pr-darts": PRDarts, "sandwich": Sandwich,
    "fair": partial(OneShot, fairness="strict"), "shots": partial(OneShot, shots=2),
    "elastic": partial(ElasticViT, levels=2, refresh=3),
}  # fmt: skip
SGD = {"optimizer": "sgd", "lr": 0.05, "momentum": 0.9, "weight_decay": 3e-4, "clip": 0.0}


class GroupConv(nn.Module):
    """A smooth convolution with a norm over groups of channels: each image is alone in it."""

    kind = "conv"

    def __init__(self, channels: int, width: int, kernel: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, width, kernel, padding=kernel // 2)
        self.norm = nn.GroupNorm(2, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(torch.tanh(self.conv(x)))


class Dropped(nn.Module):
    """Drops values, as torch's global generator says."""

    kind = "skip"

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.drop = nn.Dropout(0.3)

    def forward(self, x: Tensor) -> Tensor:
        return self.drop(x)


def group_normed() -> Space:
    """Two choices, no norm over a batch."""

    def choice():
        return choose(
            "op", skip=op(Identity), three=op(GroupConv, width=4), five=op(GroupConv, width=4, kernel=5),
            one=op(GroupConv, width=4, kernel=1),
        )  # fmt: skip

    head = op(Classifier, classes=3)
    return Space("joint", (1, 6, 6), chain(op(GroupConv, width=4), first=choice(), second=choice(), head=head))


def batch_normed(dropout: bool = False) -> Space:
    """Two choices and norms over a batch."""

    def choice():
        return choose(
            "op", none=relaxed_only(op(Zero)), skip=op(Identity), other=op(Dropped) if dropout else op(AvgPool),
            conv=op(SeparableConv, kernel=3, affine=False),
        )  # fmt: skip

    stem, head = op(ConvNorm, width=4), op(Classifier, classes=3)
    return Space("joint", (1, 6, 6), chain(stem, first=choice(), second=choice(), head=head))


def images(count: int = 48) -> Dataset:
    """Three classes of 6 by 6 images that differ in their mean."""
    generator = torch.Generator().manual_seed(0)

    def split(number: int) -> Split:
        labels = torch.arange(number) % 3
        pictures = torch.randn(number, 1, 6, 6, generator=generator, dtype=torch.float64)
        return Split(pictures.to(torch.get_default_dtype()) + labels[:, None, None, None], labels)

    return Dataset(
        name="joint", train=split(count), validation=split(12), test=split(12), input=(1, 6, 6), classes=3,
        fingerprint="joint", class_names=("a", "b", "c"), mean=(0.0,), std=(1.0,),
    )  # fmt: skip


def turns_of(group: Alone, space: Space, made_by: str, batch: int, count: int = 48) -> Turns:
    """A search in double precision, before its first step."""
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    relaxation = MADE[made_by](space)
    if isinstance(relaxation, PRDarts):
        relaxation.cells = [replace(c, groups=c.groups.double(), path=c.path.double()) for c in relaxation.cells]
    recipe = Recipe(epochs=2, batch=batch, flip=True, crop=1, label_smoothing=0.1, **SGD)
    torch.manual_seed(1)
    search = Turns(space, relaxation, images(count), recipe, 0, CPU, group)
    relaxation.at(0.0)
    search.model.train()
    return search


def gradients(
    group: Alone, space: Space, made_by: str, batch: int, steps: int = 1, still: bool = True
) -> dict[str, Any]:
    """What steps leave on weights and gates; `still`: the gates do not move between the two."""
    search, meters = turns_of(group, space, made_by, batch), (Meter(), Meter())
    if still and search.gate_optimizer is not None:
        set_rate(search.gate_optimizer, 0.0)
    for start in range(0, steps * batch, batch):
        places = slice(start, start + batch)
        search.step((search.for_weights.images[places], search.for_weights.labels[places]), meters)
    return {
        "gates": [gate.grad for gate in search.gates],
        "weights": [weight.grad for weight in search.weights],
        "losses": [torch.stack(meter.losses) for meter in meters if meter.losses],
    }


def two_steps(group: Alone, made_by: str, batch: int) -> dict[str, Any]:
    """Gradients without norms over a batch, after a first step has moved everything."""
    torch.set_default_dtype(torch.float64)
    return gradients(group, group_normed(), made_by, batch, steps=2, still=False)


def one_step(group: Alone, made_by: str, batch: int) -> dict[str, Any]:
    """Gradients with norms over a batch."""
    torch.set_default_dtype(torch.float64)
    return gradients(group, batch_normed(), made_by, batch)


def searched(
    group: Alone, made_by: str, checkpoint: Path | None = None, stop: int | None = None, **recipe: Any
) -> dict[str, Any]:
    """A search to its end, or killed after an epoch; by every process, the first one's callbacks told."""
    torch.manual_seed(group.rank)  # initial gates differ: the first process' count
    space, told = batch_normed(dropout=True), []
    relaxation = MADE[made_by](space)

    def on_epoch(values: dict[str, Any], gates: object) -> None:
        told.append(values["epoch"])
        if values["epoch"] == stop:
            raise TrainingError("killed")

    values = {"epochs": 4, "batch": 9, "flip": True, **SGD, **recipe}
    found = relax(
        space, relaxation, images(), Recipe(**values), checkpoint=checkpoint, on_epoch=on_epoch, group=group,
    )  # fmt: skip
    return of(found, relaxation) | {"told": told}


def of(found: Relaxed, relaxation: Any) -> dict[str, Any]:
    """What can be compared of a search."""
    return {
        "architecture": found.architecture.to_json(),
        "epochs": [{k: v for k, v in record.items() if k != "seconds"} for record in found.epochs],
        "gates": [gate.detach() for gate in relaxation.parameters()],
        "model": found.model.state_dict(),
    }


def begun(group: Alone) -> dict[str, Any]:
    """A search before its first step, built from other random numbers in each process."""
    torch.manual_seed(group.rank)
    space = batch_normed()
    search = Turns(space, Darts(space), images(), Recipe(batch=8), 0, CPU, group)
    return {"gates": [gate.detach() for gate in search.gates], "model": search.model.state_dict()}


def spoiled(group: Alone) -> None:
    """A search whose second process alone sees images that are no numbers."""
    data = images()
    if group.rank == 1:
        data.train.images[:] = float("nan")
    relax(batch_normed(), Darts(batch_normed()), data, Recipe(epochs=1, batch=12), group=group)


def apart(group: Alone) -> None:
    """A search whose processes settle on different architectures."""

    class Own(Darts):
        def settle(self) -> Architecture:
            return self.space.sample(random.Random(group.rank))

    space = batch_normed()
    relax(space, Own(space), images(), Recipe(epochs=1, batch=12), group=group)


def timed(group: Alone) -> int:
    """How many epochs are done where the first process has no time, and the second would have."""
    space = batch_normed()
    recipe = Recipe(epochs=3, batch=12)
    found = relax(space, Darts(space), images(), recipe, out_of_time=lambda: group.rank == 0, group=group)
    return len(found.epochs)


def batch_of_three(group: Alone) -> None:
    """A joint batch too small for two."""
    searched(group, "darts", batch=3)


def first_says(group: Alone, state: object) -> object:
    """What the first process has, in both."""
    return group.first(lambda: state)


def first_fails(group: Alone) -> None:
    """An error of the first process."""

    def fail() -> None:
        raise ValueError("no file")

    group.first(fail)


def copied(group: Alone) -> list[Tensor]:
    """Tensors of several types and layouts, different in each process and then the first one's."""
    torch.manual_seed(group.rank)
    tensors = [
        torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last), torch.tensor([group.rank == 0, False]),
        torch.tensor(group.rank), torch.rand(3, dtype=torch.float64, requires_grad=True), torch.empty(0),
    ]  # fmt: skip
    group.copy(tensors)
    return [tensor.detach() for tensor in tensors]


def kinds(rank: int) -> list[Tensor]:
    """Numbers of several types and layouts."""
    generator = torch.Generator().manual_seed(rank)
    depthwise = torch.randn(4, 1, 3, 3, generator=generator).as_strided((4, 1, 3, 3), (9, 1, 3, 1))
    return [
        torch.randn(2, 3, 4, 4, generator=generator).to(memory_format=torch.channels_last),
        torch.randn((), generator=generator), depthwise, torch.empty(0),
        torch.rand(3, dtype=torch.float64, generator=generator),
    ]  # fmt: skip


def averaged(group: Alone) -> list[Tensor]:
    """The means of what both have."""
    return group.average(kinds(group.rank))


def meant(group: Alone) -> dict[str, float]:
    """0 over one image and 1 over three."""
    return group.mean({"loss": float(group.rank)}, 1 + 2 * group.rank)


def fitted(group: Alone) -> tuple[int, list[str]]:
    """The batch that fits where the second process has little memory, and what the first says about it."""
    relaxation, recipe, notes = Darts(space := batch_normed()), Recipe(batch=16), []
    little = 2.3 * step_memory(space, relaxation, recipe, 4).total  # half of it is for each of the two
    room.free_bytes = lambda device: 2**40 if group.rank == 0 else int(little)
    heard = notes.append if group.rank == 0 else lambda note: None
    return batch_that_fits(relaxation, recipe, CPU, heard, group)(space, 16), notes
