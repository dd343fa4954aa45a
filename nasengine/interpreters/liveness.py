"""How much memory a network's values take at once at inference, one image at a time: a walk over who reads what when.

A value lives until its last reader is done. While a layer works, its inputs live, and so does what it holds itself:
its output and, as torch runs it, the maps in between. Weights are not counted; microcontrollers read them from flash.

MCUFormer (Liang et al., 2023, https://arxiv.org/abs/2310.16898) fits vision transformers into 320 KB by two tricks:
attention is computed by heads and rows, so that its matrix is never stored (`fused`, as kernels of larger devices do
it too), and tokens are overwritten (`overwriting`): where layers look at each position alone, an MLP's hidden values
exist for one position at a time, and its result takes its input's place: N d + h numbers instead of N (d + h).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from nasengine.errors import SpaceError
from nasengine.interpreters.inside import inside, is_positionwise
from nasengine.interpreters.shape import Shape, layer_facts
from nasengine.space import Choice, Picks, Space, run

BYTES = 4  # of a number in float32; int8 takes 1


@dataclass(frozen=True)
class Peak:
    """The most that is held at once, and the step at which it is."""

    bytes: int
    place: str


@dataclass(frozen=True)
class Value:
    """A buffer, and the shape of what lies there."""

    buffer: int
    shape: Shape


@dataclass(frozen=True)
class Step:
    """One layer or sum. The image is buffer 0, and step number n writes buffer n + 1."""

    place: str
    reads: tuple[int, ...]
    size: int  # numbers that stay
    holds: int  # numbers that it holds at once beside its inputs, its output among them
    positions: int
    token: int | None = None  # what it holds at one position, where it looks at each by itself


def peak_memory(
    space: Space, picks: Picks, *, bytes_per_value: int = BYTES, fused: bool = True, overwriting: bool = False
) -> int:
    """Bytes of all values that are alive at once, at the step where they are most."""
    return peak(space, picks, bytes_per_value=bytes_per_value, fused=fused, overwriting=overwriting).bytes


def peak(
    space: Space, picks: Picks, *, bytes_per_value: int = BYTES, fused: bool = True, overwriting: bool = False
) -> Peak:
    """The same with the step; of several equal ones the first.

    `fused` False counts attention with its matrix of weights. `overwriting` computes runs of layers that look at each
    position alone one position after the other.
    """
    steps = schedule(space, picks, fused, overwriting)
    lives = _Lives(prod(space.input), steps)
    best = Peak(bytes_per_value * prod(space.input), "input")
    for first, last in _runs(steps):
        held, place = max((lives.whole(number) for number in range(first, last + 1)), key=_held)
        if steps[first].token is not None:
            held, place = min((lives.position_by_position(first, last), (held, place)), key=_held)
        if bytes_per_value * held > best.bytes:
            best = Peak(bytes_per_value * held, place)
    return best


def _held(found: tuple[int, str]) -> int:
    return found[0]


def schedule(space: Space, picks: Picks, fused: bool = True, tokens: bool = False) -> list[Step]:
    """Every layer and sum in the order in which a network runs them; what only passes a value on is none."""
    walk = _Schedule(fused, tokens)
    output = run(space.network, (Value(0, tuple(space.input)),), picks, walk)
    if output is None:
        raise SpaceError(f"space {space.name}: with these picks nothing leads from the input to the output")
    return walk.steps


class _Schedule:
    """The interpreter: values are buffers with shapes."""

    def __init__(self, fused: bool, tokens: bool) -> None:
        self.fused, self.tokens = fused, tokens
        self.steps: list[Step] = []

    def op(self, place: str, layer: type, settings: Mapping[str, Any], inputs: tuple[Value, ...]) -> Value:
        shapes = tuple(value.shape for value in inputs)
        output = layer_facts(place, layer, settings, shapes).output
        found = inside(layer, settings, shapes, self.fused)
        token = None
        if self.tokens and is_positionwise(layer, settings, shapes):
            token = inside(layer, settings, ((shapes[0][0], 1, 1),), self.fused).peak
        if found.source is not None:
            return Value(inputs[found.source].buffer, output)
        return self._step(place, inputs, output, found.output, found.peak, token)

    def add(self, place: str, values: Sequence[Value]) -> Value:
        """One sum after the other: from the second on, the one before lives beside the next."""
        shape, many = values[0].shape, min(len(values) - 1, 2)
        token = many * shape[0] if self.tokens and len(shape) == 3 else None
        return self._step(place, values, shape, prod(shape), many * prod(shape), token)

    def concat(self, place: str, values: Sequence[Value]) -> Value:
        shape = (sum(value.shape[0] for value in values), *values[0].shape[1:])
        token = shape[0] if self.tokens and len(shape) == 3 else None
        return self._step(place, values, shape, prod(shape), prod(shape), token)

    def mix(self, name: str, choice: Choice, on: Mapping[str, tuple[Any, Value]]) -> Value:
        values = [value for _, value in on.values()]
        return values[0] if len(values) == 1 else self.add(name, values)

    def _step(
        self, place: str, inputs: Sequence[Value], output: Shape, size: int, holds: int, token: int | None
    ) -> Value:
        reads = tuple(dict.fromkeys(value.buffer for value in inputs))
        self.steps.append(Step(place, reads, size, holds, prod(output[1:]), token))
        return Value(len(self.steps), output)


def _runs(steps: Sequence[Step]) -> list[tuple[int, int]]:
    """First and last of each run of steps that go from position to position together; others are alone."""
    runs: list[tuple[int, int]] = []
    for number, step in enumerate(steps):
        before = steps[number - 1] if number else None
        joined = before is not None and None not in (step.token, before.token) and step.positions == before.positions
        runs.append((runs.pop()[0], number) if joined else (number, number))
    return runs


class _Lives:
    """Sizes of the buffers, and the step that reads each last."""

    def __init__(self, image: int, steps: Sequence[Step]) -> None:
        self.steps, self.sizes = steps, [image, *(step.size for step in steps)]
        self.last = [number - 1 for number in range(len(self.sizes))]
        for number, step in enumerate(steps):
            for buffer in step.reads:
                self.last[buffer] = number
        self.last[-1] = len(steps)  # the output is what all is for

    def before(self, number: int) -> list[int]:
        """The buffers that live when a step begins."""
        return [buffer for buffer in range(number + 1) if self.last[buffer] >= number]

    def whole(self, number: int) -> tuple[int, str]:
        """What is held during a step."""
        step = self.steps[number]
        return sum(self.sizes[buffer] for buffer in self.before(number)) + step.holds, step.place

    def position_by_position(self, first: int, last: int) -> tuple[int, str]:
        """What is held during a run: values in between exist at one position, results take the places of inputs."""
        before = self.before(first)
        results = [buffer for buffer in range(first + 1, last + 2) if self.last[buffer] > last]
        free = sorted(self.sizes[buffer] for buffer in before if self.last[buffer] <= last)
        held = sum(self.sizes[buffer] for buffer in before)
        for size in sorted((self.sizes[buffer] for buffer in results), reverse=True):
            place = next((one for one in free if one >= size), None)
            if place is None:
                held += size
            else:
                free.remove(place)
        most, where = 0, self.steps[first].place
        for number in range(first, last + 1):
            now = self._tokens(first, number, results)
            if now > most:
                most, where = now, self.steps[number].place
        return held + most, where

    def _tokens(self, first: int, number: int, results: Sequence[int]) -> int:
        """What a step of a run holds at one position, beside what is stored whole."""
        between = [b for b in range(first + 1, number + 1) if b not in results and self.last[b] >= number]
        step = self.steps[number]
        own = (step.token or 0) - (step.size // step.positions if number + 1 in results else 0)
        return own + sum(self.sizes[buffer] // self.steps[buffer - 1].positions for buffer in between)
