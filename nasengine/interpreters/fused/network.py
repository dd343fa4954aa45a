"""The fused supernet: a space's supernet with choices that read the same input run together."""

from collections.abc import Mapping
from functools import reduce
from typing import Any

import torch
from torch import Tensor

from nasengine.interpreters.fused.groups import Planned, Vectors, is_one
from nasengine.interpreters.fused.programs import Programs
from nasengine.interpreters.fused.values import Group, Join, Layer, Mix, Value, graph
from nasengine.interpreters.model import Model
from nasengine.space import Mixture, Picks

Options = Mapping[str, Any]  # of a choice those that are on, with their gates


class Fused:
    """Runs a supernet on mixtures with the same result as the walk over its space, in fewer and larger operations.

    Choices that read the same input and have the same layers run as one: one grouped convolution, one norm, one ReLU
    and one pool for all of them, gates folded into the norms. The weights stay the model's own, under their names.
    What it does not know runs as in the walk: `apart` says of a layer why; picks other than mixtures, evaluation, and
    spaces with open sizes go to the model as a whole. Arithmetic is in another order, so results differ in their last
    digits, and layers that draw random numbers draw them in another order.
    """

    def __init__(self, model: Model):
        self.model = model
        self.fits = model.shots == 1 and not any(
            d.of_values and len(d.options) > 1 for d in model.space.decisions.values()
        )
        self.apart: dict[str, str] = {}
        if self.fits:
            self._plan()

    def _plan(self) -> None:
        self.layers, programs = dict(self.model.layers()), Programs()
        self.images, self.values, self.output = graph(self.model.space)
        self.mixes = [value for value in self.values if isinstance(value, Mix)]
        self.choices = {mix.name: mix.choice for mix in self.mixes}
        groups = dict.fromkeys(mix.group for mix in self.mixes if mix.group is not None)
        self.groups: dict[Group, Planned] = {group: Planned(group, self.layers, programs) for group in groups}
        self.apart = programs.apart
        self.last_read: dict[Value, list[Value]] = {}  # value -> what nothing reads after it
        last = {x: value for value in self.values for x in value.inputs}
        for x, value in last.items():
            self.last_read.setdefault(value, []).append(x)

    def __call__(self, images: Tensor, picks: Picks) -> Tensor:
        """(batch, channels, height, width) to (batch, classes)."""
        if not (self.fits and isinstance(picks, Mixture) and self.model.training):
            output: Tensor = self.model(images, picks)
            return output
        on = {name: _on(picks.gates(name, choice)) for name, choice in self.choices.items()}
        if any(on[mix.name].keys() - mix.options.keys() for mix in self.mixes):
            output = self.model(images, picks)
            return output
        if not all(planned.is_kept() for planned in self.groups.values()):
            self._plan()
        return self._run(images, self._live(on))

    def _live(self, on: Mapping[str, Options]) -> dict[Value, Options]:
        """What leads from the images to the output when these options are on; of choices those options that do."""
        there: dict[Value, Options] = {self.images: {}}
        for value in self.values:
            if isinstance(value, Mix):
                gates = on[value.name].items()
                leading = {option: gate for option, gate in gates if all(x in there for x in value.reads[option])}
                if leading:
                    there[value] = leading
            elif (any if isinstance(value, Join) else all)(x in there for x in value.inputs):
                there[value] = {}
        wanted = {self.output}
        for value in reversed(self.values):
            if value in wanted and value in there:
                read = (value.reads[option] for option in there[value]) if isinstance(value, Mix) else [value.inputs]
                wanted.update(x for reads in read for x in reads)
        return {value: options for value, options in there.items() if value in wanted}

    def _run(self, images: Tensor, live: Mapping[Value, Options]) -> Tensor:
        vectors = Vectors(images.device)
        sums: dict[Value, list[Tensor]] = {self.images: [images]}  # what each value is the sum of
        for value in self.values:
            if value in live and value not in sums:
                match value:
                    case Layer(place=place):
                        sums[value] = [self.layers[place](*(_total(sums, x) for x in value.inputs))]
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
        return _total(sums, self.output)


def _weighed(sums: dict[Value, list[Tensor]], value: Value, gate: Any) -> list[Tensor]:
    return sums[value] if is_one(gate) else [gate * _total(sums, value)]


def _total(sums: dict[Value, list[Tensor]], value: Value) -> Tensor:
    """A value as one tensor."""
    if len(sums[value]) > 1:
        sums[value] = [reduce(torch.add, sums[value])]
    return sums[value][0]


def _on(gates: Options) -> Options:
    """The options that are run."""
    return {option: g for option, g in gates.items() if g is not None and not (isinstance(g, float) and g == 0.0)}
