"""One option of the choices in a group: the same layers, once for each member, run as one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor, nn

from nasengine.interpreters.fused.bundles import Bundle, Shared
from nasengine.interpreters.fused.norms import Statistics, norm_of
from nasengine.interpreters.fused.programs import Program, Programs
from nasengine.interpreters.fused.steps import convolve, gathered, without_weights
from nasengine.interpreters.fused.values import Layer, Mix, Value, kind_of

Pieces = Bundle | list[Tensor]  # of the members that are on: in one tensor, or one by one


@dataclass
class Line:
    """A layer of an option, as all members have it; `reads` are numbers of values. Without a program: one by one."""

    reads: tuple[int, ...]
    layers: Sequence[nn.Module]
    program: Program | None = None
    statistics: dict[str, Statistics] = field(default_factory=dict)

    def run(
        self, values: Sequence[Pieces], members: Sequence[int], gates: Tensor | None, shared: Shared
    ) -> tuple[Pieces, bool]:
        """What these members make of the values, and whether it is weighed by the gates: a last norm can do that."""
        if self.program is not None:
            return self._run_program(values[0], members, gates, shared)
        parts = zip(*(one_by_one(value, len(members)) for value in values), strict=True)
        return [self.layers[m](*each) for m, each in zip(members, parts, strict=True)], False

    def _run_program(
        self, value: Pieces, members: Sequence[int], gates: Tensor | None, shared: Shared
    ) -> tuple[Bundle, bool]:
        assert self.program is not None
        values = [gathered(value) if isinstance(value, list) else value.done()]
        weighed = False
        for i, step in enumerate(self.program.steps, 1):
            modules: list[Any] = [self.layers[m].get_submodule(step.path) for m in members] if step.path else []
            read = [values[n] for n in step.reads]
            if step.kind == "conv":
                values.append(convolve(read[0], modules, step.rectified, shared))
            elif step.kind == "norm":
                is_last = i == len(self.program.steps)
                own = shared.spread(read[0], len(members)) if modules[0].affine else read[0]
                weighed = gates is not None and own.members > 0 and is_last
                dtype, statistics = own.tensor.dtype, self.statistics.get(step.path)
                norm = norm_of(modules, members, statistics, gates if weighed else None, dtype)
                made = replace(own, norm=norm, key=object())
                values.append(made if own.members > 0 and is_last else made.done())
            else:
                values.append(without_weights(step, read, modules[0] if modules else None, shared))
        return values[-1], weighed


def one_by_one(value: Pieces, members: int) -> Sequence[Tensor]:
    """Every member's own value."""
    if isinstance(value, list):
        return value
    return value.split() if value.members else [value.whole().tensor] * members


@dataclass
class Option:
    """The lines of an option; `output` is the number of the value it gives: sources, then lines from `first` on."""

    name: str
    is_zero: bool
    lines: Sequence[Line]
    first: int
    output: int

    def run(
        self, sources: Mapping[int, Bundle], members: Sequence[int], gates: Tensor | None, shared: Shared
    ) -> tuple[Pieces, bool]:
        """What these members' layers make of the group's sources, and whether it is weighed by the gates."""
        values: dict[int, Pieces] = dict(sources)
        weighed = False
        for i, line in enumerate(self.lines, self.first):
            read = [values[n] for n in line.reads]
            made, weighed = line.run(read, members, gates if i == self.output else None, shared)
            values[i] = made
        return values[self.output], weighed


def made_option(
    name: str, mixes: Sequence[Mix], sources: Sequence[Value], layers: Mapping[str, nn.Module], programs: Programs
) -> Option:
    """The option of this name in all choices of a group; `layers` are the supernet's by place."""
    first = mixes[0]
    numbers = {value: i for i, value in enumerate(sources)}
    wanted = _reached(first.options[name], first.inside)
    lines: list[Line] = []
    for k, value in enumerate(first.inside):
        if value in wanted:
            reads = tuple(numbers[x] for x in value.inputs)
            numbers[value] = len(sources) + len(lines)
            lines.append(_line(reads, value, [layers[mix.inside[k].place] for mix in mixes], programs))
    last = first.options[name]
    return Option(name, isinstance(last, Layer) and _is_zero(last), lines, len(sources), numbers[last])


def _reached(value: Value, inside: Sequence[Value]) -> set[Value]:
    """The values made for a choice that one of them depends on, itself among them."""
    if not isinstance(value, Layer) or value not in inside:
        return set()
    return {value}.union(*(_reached(x, inside) for x in value.inputs))


def _line(reads: tuple[int, ...], value: Layer, layers: Sequence[nn.Module], programs: Programs) -> Line:
    if len(reads) != 1 or _is_zero(value):
        return Line(reads, layers)
    found = programs.of(kind_of(value), layers[0])
    statistics = {}
    for path in [step.path for step in found.steps if step.kind == "norm"] if found else []:
        norms: list[Any] = [layer.get_submodule(path) for layer in layers]
        if norms[0].track_running_stats:
            statistics[path] = Statistics(norms)
    return Line(reads, layers, found, statistics)


def _is_zero(value: Layer) -> bool:
    return bool(getattr(value.layer, "zero", False))
