"""One option of the choices in a group: the same layers, once for each member, run as one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor, nn

from nasengine.interpreters.fused.bundles import Bundle, Memo
from nasengine.interpreters.fused.norms import Statistics, norm_of
from nasengine.interpreters.fused.programs import Program, Programs
from nasengine.interpreters.fused.steps import convolve, gathered, without_weights
from nasengine.interpreters.fused.values import Layer, Mix, Value, reached

Outputs = Bundle | list[Tensor]  # of the members that are on: in one tensor, or one by one
MAP = 4  # dimensions of what programs run on


@dataclass
class Line:
    """A layer of an option, as all members have it; `reads` are numbers of values. Without a program: one by one.

    modules: of each step of the program what it runs, member by member
    statistics: of those steps that are norms
    """

    reads: tuple[int, ...]
    layers: Sequence[nn.Module]
    program: Program | None = None
    modules: Sequence[Sequence[Any]] = ()
    statistics: dict[int, Statistics] = field(default_factory=dict)

    def run(
        self, values: Sequence[Outputs], members: Sequence[int], gates: Tensor | None, memo: Memo
    ) -> tuple[Outputs, bool]:
        """What these members make of the values, and whether it is weighed by the gates: a last norm can do that."""
        if self.program is not None and is_map(values[0]):
            return self._run_program(self.program, values[0], members, gates, memo)
        parts = zip(*(one_by_one(value, len(members)) for value in values), strict=True)
        return [self.layers[m](*each) for m, each in zip(members, parts, strict=True)], False

    def _run_program(
        self, program: Program, value: Outputs, members: Sequence[int], gates: Tensor | None, memo: Memo
    ) -> tuple[Bundle, bool]:
        values = [gathered(value) if isinstance(value, list) else value.done()]
        weighed = False
        for i, (step, held) in enumerate(zip(program.steps, self.modules, strict=True)):
            modules = [held[m] for m in members] if held else []
            read = [values[n] for n in step.reads]
            if step.kind == "conv":
                values.append(convolve(read[0], modules, step.rectified, memo))
            elif step.kind == "norm":
                is_last = i == len(program.steps) - 1
                own = memo.spread(read[0], len(members)) if modules[0].affine else read[0]
                weighed = gates is not None and own.members > 0 and is_last
                dtype, statistics = own.tensor.dtype, self.statistics.get(i)
                norm = norm_of(modules, members, statistics, gates if weighed else None, dtype)
                made = replace(own, norm=norm, key=object())
                values.append(made if own.members > 0 and is_last else made.done())
            else:
                values.append(without_weights(step, read, modules[0] if modules else None, memo))
        return values[-1], weighed


def is_map(value: Outputs) -> bool:
    """Whether it is (batch, channels, height, width), as programs expect it."""
    return (value[0] if isinstance(value, list) else value.tensor).dim() == MAP


def one_by_one(value: Outputs, members: int) -> Sequence[Tensor]:
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
        self, sources: Mapping[int, Bundle], members: Sequence[int], gates: Tensor | None, memo: Memo
    ) -> tuple[Outputs, bool]:
        """What these members' layers make of the group's sources, and whether it is weighed by the gates."""
        values: dict[int, Outputs] = dict(sources)
        weighed = False
        for i, line in enumerate(self.lines, self.first):
            for n in line.reads:
                value = values[n]
                if isinstance(value, Bundle):
                    values[n] = value.done()  # once, however many lines read it
            read = [values[n] for n in line.reads]
            values[i], weighed = line.run(read, members, gates if i == self.output else None, memo)
        return values[self.output], weighed


def made_option(
    name: str, mixes: Sequence[Mix], sources: Sequence[Value], layers: Mapping[str, nn.Module], programs: Programs
) -> Option:
    """The option of this name in all choices of a group; `layers` are the supernet's by place."""
    first = mixes[0]
    numbers = {value: i for i, value in enumerate(sources)}
    wanted = reached(first.options[name], set(first.inside))
    lines: list[Line] = []
    for k, value in enumerate(first.inside):
        if value in wanted:
            reads = tuple(numbers[x] for x in value.inputs)
            numbers[value] = len(sources) + len(lines)
            lines.append(_line(reads, value, [layers[mix.inside[k].place] for mix in mixes], programs))
    last = first.options[name]
    is_zero = len(lines) == 1 and isinstance(last, Layer) and _is_zero(last)
    return Option(name, is_zero, lines, len(sources), numbers[last])


def _line(reads: tuple[int, ...], value: Layer, layers: Sequence[nn.Module], programs: Programs) -> Line:
    found = None if len(reads) != 1 or _is_zero(value) else programs.of(layers)
    if found is None:
        return Line(reads, layers)
    modules = [[layer.get_submodule(step.path) for layer in layers] if step.path else [] for step in found.steps]
    statistics: dict[str, Statistics] = {}  # by path: a norm may be run twice
    for step, norms in zip(found.steps, modules, strict=True):
        if step.kind == "norm" and norms[0].track_running_stats and step.path not in statistics:
            statistics[step.path] = Statistics(norms)  # type: ignore[arg-type]
    by_step = {i: statistics[step.path] for i, step in enumerate(found.steps) if step.path in statistics}
    return Line(reads, layers, found, modules, by_step)


def _is_zero(value: Layer) -> bool:
    return bool(getattr(value.layer, "zero", False))
