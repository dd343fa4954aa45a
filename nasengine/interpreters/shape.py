"""What a layer turns shapes into: found by running it on the meta device, remembered per layer, settings and shapes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from nasengine.errors import SpaceError
from nasengine.interpreters.multiply_adds import MultiplyAdds
from nasengine.interpreters.remembered import Remembered
from nasengine.space import Choice, Picks, Space, run

BATCH = 2  # batch statistics need more than one value per channel, even on a map of one pixel
Shape = tuple[int, ...]  # (channels, height, width), or (classes,)


@dataclass(frozen=True)
class LayerFacts:
    """What one image costs in one layer."""

    output: Shape
    params: int
    macs: int  # multiply-adds of convolutions and matrix products
    tensors: Mapping[str, Shape]  # parameter and buffer name -> shape
    trainable: int  # numbers in the parameters that learn


_PLAIN = {int, float, str, bool, type(None)}  # settings that are told apart without writing them out
_memory = Remembered[Any, LayerFacts](16384)


def width(inputs: Sequence[Shape]) -> int | Shape:
    """What a layer's constructor gets as `channels`: the width arriving, or a tuple where it reads several values."""
    return inputs[0][0] if len(inputs) == 1 else tuple(shape[0] for shape in inputs)


def build(layer: type, inputs: Sequence[Shape], settings: Mapping[str, Any]) -> nn.Module:
    """The layer for these input shapes, on torch's default device."""
    module: nn.Module = layer(width(inputs), **settings)
    return module


def layer_facts(place: str, layer: type, settings: Mapping[str, Any], inputs: Sequence[Shape]) -> LayerFacts:
    """Shape, parameters and multiply-adds of one layer; an error of the layer is raised with place and input."""
    key = layer_key(layer, settings, tuple(inputs))
    found = _memory.get(key)
    if found is None:
        try:
            found = _memory[key] = _measure(layer, settings, inputs)
        except Exception as error:
            words = ", ".join(f"{name}={value!r}" for name, value in settings.items())
            shapes = " and ".join(str(shape) for shape in inputs)
            raise SpaceError(
                f"{place}: layer {layer.__name__}({words}) fails on an input of (channels, height, width) {shapes}: "
                f"{type(error).__name__}: {error}; change its settings, or what stands before it"
            ) from error
    return found


def layer_key(layer: type, settings: Mapping[str, Any], inputs: tuple[Shape, ...]) -> Any:
    """By what the facts of a layer are remembered."""
    return layer, inputs, plain_key(settings) or repr(sorted(settings.items()))


def plain_key(settings: Mapping[str, Any]) -> Any:
    """Settings as something hashable, None where that takes more; 1, 1.0 and True are equal, and not to a layer."""
    names = (*sorted(settings),)
    values = (*map(settings.__getitem__, names),)
    kinds = (*map(type, values),)
    return (names, values, kinds) if _PLAIN.issuperset(kinds) else None


@torch.inference_mode(False)
@torch.no_grad()
def _measure(layer: type, settings: Mapping[str, Any], inputs: Sequence[Shape]) -> LayerFacts:
    with MultiplyAdds(), torch.device("meta"):
        module = build(layer, inputs, settings).eval()
        values = [torch.empty(BATCH, *shape) for shape in inputs]
    output, macs = _run(module, values)
    tensors = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    params = list(module.parameters())
    trainable = sum(p.numel() for p in params if p.requires_grad)
    return LayerFacts(tuple(output.shape[1:]), sum(p.numel() for p in params), macs // BATCH, tensors, trainable)


def _run(module: nn.Module, values: Sequence[Tensor]) -> tuple[Tensor, int]:
    """Output and multiply-adds; where the quick way fails, torch's own has the last word, and its own error."""
    try:
        with MultiplyAdds() as counter:
            return module(*values), counter.total
    except Exception:
        with MultiplyAdds(quick=False) as counter:
            return module(*values), counter.total


class Shapes:
    """An interpreter whose values are shapes; afterwards `layers` and `facts` hold every layer met, by place."""

    def __init__(self) -> None:
        self.facts: dict[str, LayerFacts] = {}
        self.layers: dict[str, tuple[type, Mapping[str, Any], tuple[Shape, ...]]] = {}

    def op(self, place: str, layer: type, settings: Mapping[str, Any], inputs: tuple[Shape, ...]) -> Shape:
        """The layer's output shape."""
        self.layers[place] = (layer, settings, inputs)
        self.facts[place] = facts = layer_facts(place, layer, settings, inputs)
        return facts.output

    def add(self, place: str, values: Sequence[Shape]) -> Shape:
        """The one shape that all values of a sum have."""
        if len(set(values)) > 1:
            raise SpaceError(
                f"{place or 'the network'}: a sum of unequal shapes (channels, height, width) {sorted(set(values))}; "
                "bring them to one width and size, or concatenate them"
            )
        return values[0]

    def concat(self, place: str, values: Sequence[Shape]) -> Shape:
        """The channels of all values."""
        sizes = {shape[1:] for shape in values}
        if len(sizes) > 1:
            raise SpaceError(
                f"{place or 'the network'}: concatenated values differ in size (height, width) {sorted(sizes)}; "
                "bring them to one size"
            )
        return (sum(shape[0] for shape in values), *values[0][1:])

    def mix(self, name: str, choice: Choice, on: Mapping[str, tuple[Any, Shape]]) -> Shape:
        """The shape that all options that are on share."""
        shapes = {option: shape for option, (_, shape) in on.items()}
        if len(set(shapes.values())) > 1:
            raise SpaceError(
                f"decision {name!r}: its options give unequal shapes (channels, height, width) {shapes}; "
                "outputs of options are added, so they must agree"
            )
        return next(iter(shapes.values()))


class _ShapesWithAsides(Shapes):
    def aside(self, name: str, place: str, branch: Callable[[], Shape]) -> None:
        branch()


def trace(space: Space, picks: Picks, asides: bool = False) -> tuple[Shapes, Shape]:
    """Walk a space's network on shapes: every layer met (in asides too, if wanted), and the output's shape."""
    shapes = _ShapesWithAsides() if asides else Shapes()
    output = run(space.network, (tuple(space.input),), picks, shapes)
    if output is None:
        raise SpaceError(f"space {space.name}: with these picks nothing leads from the input to the output")
    return shapes, output
