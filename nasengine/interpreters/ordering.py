"""Channels that only the layers around them see may be reordered, so that the leading ones are the important ones."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor, nn

from nasengine.interpreters.elastic import elastic, swept
from nasengine.interpreters.model import Model
from nasengine.interpreters.shape import Shape, trace
from nasengine.interpreters.slicing import KERNEL
from nasengine.space import EVERYTHING, Mixture, Picks, Space

SAME = 1e-9  # relative to the output's size, in double precision
IMAGES = 2


class Axis(NamedTuple):
    """A dimension of a stored tensor."""

    tensor: str
    dim: int


@dataclass(frozen=True)
class Hidden:
    """Channels that go along all these axes in one order, and how many of them each (decision, option) asks for."""

    axes: tuple[Axis, ...]
    asked: Mapping[tuple[str, str], int]


def hidden_channels(space: Space) -> list[Hidden]:
    """All groups of channels that a width cuts and that can be reordered without changing what the network computes.

    They lie inside one layer (the expanded channels of an inverted residual) or inside one chain (those between the two
    halves of an MLP). Each group is proven: with random weights in double precision, the layer, or the network with
    every option on, computes the same after its channels were shuffled. What fails is left as it is: the channels of
    attention heads, and those that a stage's layers share by their shortcuts, which no one layer or chain holds.
    """
    shapes, _ = trace(space, EVERYTHING, asides=True)
    candidates = _candidates(space)
    found, taken = [], set[Axis]()
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        model = Model(space).double().eval()
        _scramble(model)
        images = torch.randn(IMAGES, *space.input, dtype=torch.float64)
        layers = {place: _alone(layer, shapes.layers[place][2]) for place, layer in model.layers()}
        average = _average(space)
        whole = _Proof(model, lambda: model(images, average))
        for parts in (0, 1):  # of the place's name that are left out: a layer by itself, then the chain it stands in
            for owner, hidden in _grouped(candidates, parts):
                proof = whole if parts else _Proof(model, layers[owner])
                if taken.isdisjoint(hidden.axes) and proof.holds(hidden):
                    found.append(hidden)
                    taken.update(hidden.axes)
    return found


def sort_channels(model: nn.Module, groups: Sequence[Hidden], trained: Mapping[str, Collection[str]]) -> None:
    """Put the channels with the largest weights (L1 norm, in what reads them) first; the network computes the same.

    `trained` are the options of each decision that were trained already: the channels that a narrow option kept stay
    those that it keeps, and are sorted among themselves.
    """
    state = model.state_dict()
    for hidden in groups:
        importance = sum(_importance(state[axis.tensor]) for axis in hidden.axes if axis.dim == 1)
        assert isinstance(importance, Tensor)
        kept = {n for (name, option), n in hidden.asked.items() if option in trained.get(name, ())}
        ends = sorted({*kept, len(importance)})
        begins = [0, *ends[:-1]]
        blocks = [
            begin + importance[begin:end].argsort(descending=True, stable=True)
            for begin, end in zip(begins, ends, strict=True)
        ]
        _reorder(state, hidden, torch.cat(blocks))


def _importance(weight: Tensor) -> Tensor:
    return weight.abs().sum([d for d in range(weight.dim()) if d != 1])


def _reorder(state: Mapping[str, Tensor], hidden: Hidden, order: Tensor) -> None:
    with torch.no_grad():
        for axis in hidden.axes:
            tensor = state[axis.tensor]
            tensor.copy_(tensor.index_select(axis.dim, order.to(tensor.device)))


def _candidates(space: Space) -> dict[tuple[str, Axis], dict[tuple[str, str], int]]:
    """Place and axis, in the order of the network -> how many channels each option of each width asks for there."""
    found: dict[tuple[str, Axis], dict[tuple[str, str], int]] = {}
    widths = {name for name, one in elastic(space).items() if one.changes == "width"}
    for name, by_option in swept(space).items():
        for option, shapes in by_option.items() if name in widths else ():
            for (place, tensor), shape in shapes.items():
                for d, asked in enumerate(shape[:KERNEL]):
                    axis = Axis(f"{place}.{tensor}", d)
                    found.setdefault((place, axis), {})[name, option] = asked
    return {key: asked for key, asked in found.items() if len(set(asked.values())) > 1}


def _grouped(
    candidates: Mapping[tuple[str, Axis], Mapping[tuple[str, str], int]], parts: int
) -> Iterator[tuple[str, Hidden]]:
    """Layer or chain, and axes of it that are always cut to the same number, some of which make it and some read it."""
    groups: dict[tuple[str, frozenset[tuple[tuple[str, str], int]]], list[Axis]] = {}
    for (place, axis), asked in candidates.items():
        owner = ".".join(place.split(".")[: -parts or None])
        groups.setdefault((owner, frozenset(asked.items())), []).append(axis)
    for (owner, counts), axes in groups.items():
        if {axis.dim for axis in axes} == {0, 1}:
            yield owner, Hidden(tuple(axes), dict(counts))


def _average(space: Space) -> Picks:
    """All options at once, each by its share, so that numbers stay small however many there are."""
    between_layers = {name: one.relaxed for name, one in space.decisions.items() if not one.of_values}
    return Mixture({name: dict.fromkeys(options, 1 / len(options)) for name, options in between_layers.items()})


def _scramble(model: nn.Module) -> None:
    """Random numbers also where layers begin with ones and zeros, which no order changes."""
    for parameter in model.parameters():
        parameter.mul_(1 + 0.1 * torch.randn_like(parameter)).add_(0.01 * torch.randn_like(parameter))
    for buffer in model.buffers():
        if buffer.is_floating_point():
            buffer.add_(0.1 * torch.rand_like(buffer))


def _alone(layer: nn.Module, inputs: Sequence[Shape]) -> Callable[[], Tensor]:
    """The layer's output on random images (channels, height, width)."""
    images = [torch.randn(IMAGES, *shape, dtype=torch.float64) for shape in inputs]
    return lambda: layer(*images)


class _Proof:
    """Whether something computes the same with channels in another order."""

    def __init__(self, model: Model, compute: Callable[[], Tensor]):
        self.state, self.compute = model.state_dict(), compute

    @cached_property
    def before(self) -> Tensor:
        return self.compute()

    def holds(self, hidden: Hidden) -> bool:
        sizes = {self.state[axis.tensor].shape[axis.dim] for axis in hidden.axes}
        if len(sizes) > 1:
            return False
        before, order = self.before, torch.randperm(sizes.pop())
        _reorder(self.state, hidden, order)
        after = self.compute()
        _reorder(self.state, hidden, order.argsort())
        return bool((before - after).abs().max() <= SAME * before.abs().max())
