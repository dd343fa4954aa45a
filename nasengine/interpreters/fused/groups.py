"""A group of choices with the same layers on the same inputs, run option by option for all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import torch
from torch import Tensor, nn

from nasengine.interpreters.fused.bundles import Bundle, Memo
from nasengine.interpreters.fused.norms import Statistics, normalised
from nasengine.interpreters.fused.options import Outputs, is_map, made_option, one_by_one
from nasengine.interpreters.fused.programs import Programs
from nasengine.interpreters.fused.values import Group, Mix

Gates = Mapping[Mix, Mapping[str, Any]]  # of every choice those options that are on


class Vectors:
    """Gates of several choices side by side, made once for all places that share their decisions."""

    def __init__(self, images: Tensor):
        self.device = images.device
        self.dtype = torch.promote_types(images.dtype, torch.float32)
        self._made: dict[tuple[tuple[str, ...], str], Tensor | None] = {}

    def of(self, names: tuple[str, ...], option: str, gates: Sequence[Any]) -> Tensor | None:
        """The gates of an option in the choices of these names; None where all are one."""
        key = (names, option)
        if key not in self._made:
            ones = all(map(is_one, gates))
            self._made[key] = None if ones else self._stacked(gates)
        return self._made[key]

    def _stacked(self, gates: Sequence[Any]) -> Tensor:
        if all(isinstance(gate, Tensor) for gate in gates):
            return torch.stack(list(gates)).to(self.device)
        return torch.stack([self._tensor(gate) for gate in gates])

    def _tensor(self, gate: Any) -> Tensor:
        if isinstance(gate, Tensor):
            return gate.to(self.device, self.dtype)
        return torch.full((), gate, device=self.device, dtype=self.dtype)


@dataclass(eq=False)
class Contribution:
    """What an option gives to these members, still to be weighed by the gates unless they are None."""

    members: Sequence[int]
    value: Outputs
    gates: Tensor | None


class Planned:
    """A group made ready to run; `sources` are the values that all its members read."""

    def __init__(self, group: Group, layers: Mapping[str, nn.Module], programs: Programs):
        self.mixes = group.members
        self.sources = list(dict.fromkeys(self.mixes[0].inputs))
        names = self.mixes[0].options
        self.options = [made_option(name, self.mixes, self.sources, layers, programs) for name in names]

    @property
    def statistics(self) -> list[Statistics]:
        """Of all of its norms that keep any."""
        return [one for option in self.options for line in option.lines for one in line.statistics.values()]

    def run(self, sources: Mapping[int, Tensor], gates: Gates, vectors: Vectors) -> dict[Mix, list[Tensor]]:
        """What each choice of `gates`, which has some or all of the members, is the sum of.

        `sources` has those that the options which are on read, by their number.
        """
        bundles = {i: Bundle(tensor, key=i) for i, tensor in sources.items()}
        memo = Memo()
        on = [m for m, mix in enumerate(self.mixes) if mix in gates]
        parts = []
        for option in self.options:
            members = [m for m in on if option.name in gates[self.mixes[m]]]
            if members and not option.is_zero:
                mixes = [self.mixes[m] for m in members]
                values = [gates[mix][option.name] for mix in mixes]
                vector = vectors.of(tuple(mix.name for mix in mixes), option.name, values)
                value, weighed = option.run(bundles, members, vector, memo)
                parts.append(Contribution(members, value, None if weighed else vector))
        sums: dict[int, list[Tensor]] = {m: [] for m in on}
        for part in _added(_mixed(parts)):
            _deal(part, sums)
        for m in on:
            if not sums[m]:  # nothing but zeros is on
                option = next(option for option in self.options if option.name in gates[self.mixes[m]])
                sums[m].append(one_by_one(option.run(bundles, [m], None, memo)[0], 1)[0])
        return {self.mixes[m]: added for m, added in sums.items()}


def _mixed(parts: Sequence[Contribution]) -> list[Contribution]:
    """With parts that the same members share as one, weighed in one product of matrices."""
    alike: dict[tuple[int, ...], list[Contribution]] = {}
    for part in parts:
        if _is_shared(part.value) and is_map(part.value) and part.gates is not None:
            alike.setdefault(tuple(part.members), []).append(part)
    tables = [same for members, same in alike.items() if len(members) > 1 and len(same) > 1]
    taken = [part for same in tables for part in same]
    return [part for part in parts if part not in taken] + [_product(same) for same in tables]


def _product(parts: Sequence[Contribution]) -> Contribution:
    values = [part.value.whole().tensor for part in parts if isinstance(part.value, Bundle)]
    n, c, h, w = values[0].shape
    flat = torch.stack([value.permute(0, 2, 3, 1).reshape(-1) for value in values])
    table = torch.stack([part.gates for part in parts if part.gates is not None], dim=1)
    product = (table.to(flat.dtype) @ flat).view(-1, n, h, w, c).permute(0, 1, 4, 2, 3)
    return Contribution(parts[0].members, list(product.unbind()), None)


def _added(parts: Sequence[Contribution]) -> list[Contribution]:
    """With bundles of the same members, which no gate waits for, added up before they are cut in pieces."""
    alike: dict[tuple[tuple[int, ...], int], list[Bundle]] = {}
    others = []
    for part in parts:
        if isinstance(part.value, Bundle) and part.value.members and part.gates is None:
            alike.setdefault((tuple(part.members), part.value.phases), []).append(part.value)
        else:
            others.append(part)
    whole: dict[tuple[int, ...], list[Tensor]] = {}
    for (members, _), bundles in alike.items():
        whole.setdefault(members, []).append(replace(bundles[0], tensor=_sum(bundles), norm=None).whole().tensor)
    return [
        *others,
        *(Contribution(m, Bundle(reduce(torch.add, tensors), len(m)), None) for m, tensors in whole.items()),
    ]


def _sum(bundles: Sequence[Bundle]) -> Tensor:
    normal = [bundle.tensor for bundle in bundles if bundle.norm is None]
    open_ones = [(bundle.tensor, bundle.norm) for bundle in bundles if bundle.norm is not None]
    if open_ones:
        normal.append(normalised(*zip(*open_ones, strict=True)))
    return reduce(torch.add, normal)


def _deal(part: Contribution, sums: Mapping[int, list[Tensor]]) -> None:
    """Give each member its own."""
    weights: Sequence[Any] = [1.0] * len(part.members) if part.gates is None else part.gates.unbind()
    for m, piece, weight in zip(part.members, one_by_one(part.value, len(part.members)), weights, strict=True):
        sums[m].append(piece if is_one(weight) else weight * piece)


def _is_shared(value: Outputs) -> bool:
    return isinstance(value, Bundle) and not value.members


def is_one(gate: Any) -> bool:
    """Whether a gate lets everything through as it is."""
    return isinstance(gate, float) and gate == 1.0
