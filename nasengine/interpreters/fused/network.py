"""The fused supernet: a space's supernet with choices that read the same input run together."""

from collections.abc import Mapping
from functools import reduce
from typing import Any

import torch
from torch import Tensor

from nasengine.interpreters.fused.drawing import drawing
from nasengine.interpreters.fused.groups import Planned, Vectors, is_one
from nasengine.interpreters.fused.options import MAP
from nasengine.interpreters.fused.premises import Options, Premises, fault, live
from nasengine.interpreters.fused.programs import Programs
from nasengine.interpreters.fused.values import Group, Join, Layer, Mix, Value
from nasengine.interpreters.model import Model
from nasengine.space import Mixture, Picks


class Fused:
    """Runs a supernet on mixtures with the same result as the walk over its space, in fewer and larger operations.

    Choices that read the same input and have the same layers run as one: one grouped convolution, one norm, one ReLU
    and one pool for all of them, gates folded into the norms. The weights stay the model's own, under their names.
    What it does not know runs as in the walk: `apart` says of a layer why. To the model as a whole go evaluation, picks
    other than mixtures, those for which the walk would cut layers down or run others than the graph has, models with
    frozen norms, and those whose sizes are not the stored ones. Layers are looked at when this is made: hooks and
    settings that come later are not seen. Arithmetic is in another order, so results differ in their last digits, and
    layers that draw random numbers draw them in another order.
    """

    def __init__(self, model: Model):
        self.model = model
        why = fault(model)
        self.fits = not why
        self.apart: dict[str, str] = {}
        if self.fits:
            self._plan()
        elif model.is_supernet:
            self.apart = {"all of them": why}

    def _plan(self) -> None:
        self.layers, programs = dict(self.model.layers()), Programs()
        self.drawing = drawing(self.model.space)
        if not self.drawing.is_whole:
            self.fits, self.apart = False, {"all of them": "some lead nowhere"}
            return
        self.premises = Premises(self.model.space, self.drawing)
        mixes = [value for value in self.drawing.values if isinstance(value, Mix)]
        groups = dict.fromkeys(mix.group for mix in mixes if mix.group is not None)
        self.groups: dict[Group, Planned] = {group: Planned(group, self.layers, programs) for group in groups}
        self.statistics = [one for planned in self.groups.values() for one in planned.statistics]
        self.apart = programs.apart
        self.last_read: dict[Value, list[Value]] = {}  # value -> what nothing reads after it
        last = {x: value for value in self.drawing.values for x in value.inputs if x is not self.drawing.output}
        for x, value in last.items():
            self.last_read.setdefault(value, []).append(x)

    def __call__(self, images: Tensor, picks: Picks) -> Tensor:
        """(batch, channels, height, width) to (batch, classes)."""
        there = self._live(picks) if self.fits and isinstance(picks, Mixture) and self.model.training else None
        if there is None:
            output: Tensor = self.model(images, picks)
            return output
        if not all(one.are_kept() for one in self.statistics):
            self._plan()
            return self(images, picks)
        return self._run(images, there)

    def _live(self, picks: Mixture) -> Mapping[Value, Options] | None:
        """What is run for these picks; None where that is left to the model."""
        if not all(one.are_learning() for one in self.statistics):
            return None
        on = self.premises.on(picks)
        return None if on is None else live(self.drawing, on)

    def _run(self, images: Tensor, live: Mapping[Value, Options]) -> Tensor:
        vectors = Vectors(images)
        sums: dict[Value, list[Tensor]] = {self.drawing.images: [images]}  # what each value is the sum of
        for value in self.drawing.values:
            if value in live and value not in sums:
                match value:
                    case Layer(place=place):
                        sums[value] = [_in_order(self.layers[place](*(_total(sums, x) for x in value.inputs)))]
                    case Join(kind="add"):
                        sums[value] = [part for x in value.inputs if x in live for part in sums[x]]
                    case Join():
                        sums[value] = [torch.cat([_total(sums, x) for x in value.inputs if x in live], dim=1)]
                    case Mix(group=None):
                        weighed = [(value.options[option], gate) for option, gate in live[value].items()]
                        sums[value] = [part for x, gate in weighed for part in _weighed(sums, x, gate)]
                    case Mix(group=group) if group is not None:
                        planned = self.groups[group]
                        gates = {mix: live[mix] for mix in planned.mixes if mix in live}
                        sources = {i: _total(sums, x) for i, x in enumerate(planned.sources) if x in live}
                        sums.update(planned.run(sources, gates, vectors))  # type: ignore[arg-type]
            for x in self.last_read.get(value, ()):
                sums.pop(x, None)
        return _total(sums, self.drawing.output)


def _weighed(sums: dict[Value, list[Tensor]], value: Value, gate: Any) -> list[Tensor]:
    return sums[value] if is_one(gate) else [gate * _total(sums, value)]


def _total(sums: dict[Value, list[Tensor]], value: Value) -> Tensor:
    """A value as one tensor."""
    if len(sums[value]) > 1:
        sums[value] = [reduce(torch.add, sums[value])]
    return sums[value][0]


def _in_order(value: Tensor) -> Tensor:
    """With the channels of a pixel side by side, whatever a layer made of that."""
    return value.contiguous(memory_format=torch.channels_last) if value.dim() == MAP else value
