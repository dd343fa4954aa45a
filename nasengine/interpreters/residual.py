"""How residual branches end, and what has to be zero at the start for each of them to add nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from nasengine.interpreters.shape import BATCH, Shape, Shapes, build, layer_facts, trace
from nasengine.space import EVERYTHING, Choice, Space, run

MATRIX = 2  # dimensions from which on a tensor mixes channels or positions, and does not only scale them


def silencers(space: Space) -> list[str]:
    """Names of the supernet's parameters that, at zero, make every residual branch zero and can still learn.

    They are those of the last module with parameters in a branch: a norm's scale and shift, or the weights of a last
    convolution or linear layer. A branch is what is added to a shortcut, which is the same input or that input scaled.
    Not found are branches inside a single layer, and left as they are: options without parameters (pooling, identity)
    beside others, and ends that zeros would kill, such as those before a ReLU.
    """
    shapes, _ = trace(space, EVERYTHING)
    branches = _Branches(shapes)
    run(space.network, (_NOTHING,), EVERYTHING, branches)
    known: dict[Any, list[str]] = {}
    names = []
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        for place in branches.ends:
            layer, settings, inputs = shapes.layers[place]
            key = (layer, repr(sorted(settings.items())), inputs)
            if key not in known:
                known[key] = _last_to_silence(build(layer, inputs, settings), inputs)
            names += [f"{place}.{name}" for name in known[key]]
    return names


def _last_to_silence(layer: nn.Module, inputs: Sequence[Shape]) -> list[str]:
    """The parameters of the last module that silences a layer and still gets a gradient; none where there is none."""
    values = [torch.randn(BATCH, *shape) for shape in inputs]
    for path in reversed(_run_order(layer, values)):
        own = dict(layer.get_submodule(path).named_parameters(path, recurse=False))
        if not all(parameter.requires_grad for parameter in own.values()):
            continue
        before = [parameter.detach().clone() for parameter in own.values()]
        _fill(own.values(), [torch.zeros_like(old) for old in before])
        output: Tensor = layer(*values)
        if not output.any() and output.requires_grad:
            slopes = torch.autograd.grad((output * torch.randn_like(output)).sum(), list(own.values()))
            if any(bool(slope.any()) for slope in slopes):
                return list(own)
        _fill(own.values(), before)
    return []


def _run_order(layer: nn.Module, values: Sequence[Tensor]) -> list[str]:
    """The paths of modules with parameters of their own, as they end; modules may be declared in any order."""
    ended: list[str] = []
    hooks = [
        module.register_forward_hook(lambda module, args, output, path=path: ended.append(path))
        for path, module in layer.named_modules()
        if any(True for _ in module.parameters(recurse=False))
    ]
    with torch.no_grad():
        layer(*values)
    for hook in hooks:
        hook.remove()
    return ended


@torch.no_grad()
def _fill(parameters: Iterable[Tensor], values: Sequence[Tensor]) -> None:
    for parameter, value in zip(parameters, values, strict=True):
        parameter.copy_(value)


@dataclass(frozen=True)
class _Way:
    """How a value came about."""

    passed: frozenset[str] = frozenset()  # every place
    mixed: frozenset[str] = frozenset()  # those whose layers have matrices
    ends: frozenset[str] = frozenset()  # the last that learn something

    @property
    def length(self) -> tuple[int, int]:
        """What is longer of two ways between the same values."""
        return len(self.mixed), len(self.passed)


_NOTHING = _Way()


class _Branches:
    """An interpreter whose values are ways; afterwards `ends` holds the last learning layers of residual branches."""

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        self.ends: dict[str, None] = {}
        self.before: dict[str, frozenset[str]] = {}

    def op(self, place: str, layer: type, settings: Mapping[str, Any], inputs: tuple[_Way, ...]) -> _Way:
        facts = layer_facts(place, layer, settings, self.shapes.layers[place][2])
        way = self._joined(inputs)
        self.before[place] = way.passed
        is_mixing = any(len(shape) >= MATRIX for shape in facts.tensors.values())
        mixed = way.mixed | {place} if is_mixing else way.mixed
        return _Way(way.passed | {place}, mixed, frozenset({place}) if facts.trainable else way.ends)

    def add(self, place: str, values: Sequence[_Way]) -> _Way:
        for branch in values:
            for shortcut in values:
                if shortcut.length < branch.length and shortcut.mixed <= branch.mixed:
                    own = branch.ends - shortcut.passed
                    behind = frozenset().union(*(self.before[end] for end in own))
                    self.ends |= dict.fromkeys(sorted(own - behind))
        return self._joined(values)

    def concat(self, place: str, values: Sequence[_Way]) -> _Way:
        return self._joined(values)

    def mix(self, name: str, choice: Choice, on: Mapping[str, tuple[Any, _Way]]) -> _Way:
        return self._joined([way for _, way in on.values()])

    def _joined(self, ways: Sequence[_Way]) -> _Way:
        fields = zip(*((way.passed, way.mixed, way.ends) for way in ways), strict=True)
        return _Way(*(frozenset().union(*sets) for sets in fields))
