"""How large a supernet stores each layer's tensors: the maximum per dimension over all options of every size."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import nn

from nasengine.errors import SpaceError
from nasengine.interpreters.kernels import KernelTransform, nested
from nasengine.interpreters.shape import Shape, Shapes, build, layer_facts, trace
from nasengine.interpreters.slicing import KERNEL
from nasengine.interpreters.stored import Stored
from nasengine.space import Choice, Picks, Space


class OneSize:
    """The base picks, with one size at one of its options."""

    def __init__(self, base: Picks, decision: str, option: str):
        self.base, self.decision, self.option = base, decision, option

    def gates(self, name: str, choice: Choice) -> Mapping[str, Any]:
        return self.base.gates(name, choice)

    def value(self, name: str, choice: Choice) -> Any:
        return choice.value(self.option) if name == self.decision else self.base.value(name, choice)

    def asked(self, name: str) -> bool:
        return self.base.asked(name)


def largest(space: Space, picks: Picks, shapes: Shapes) -> dict[str, dict[str, Shape]]:
    """Place -> tensor name -> shape, for those layers that some size makes larger than the largest sizes do.

    Raises SpaceError naming the decision where a size changes which tensors a layer has: it cannot be sliced.
    """
    base = {place: layer_facts(place, *layer).tensors for place, layer in shapes.layers.items()}
    most: dict[str, dict[str, Shape]] = {}
    for name, option, place, tensors in _swept(space, picks):
        held = most.get(place, base[place])
        _comparable(place, name, option, tensors, held)
        grown = {n: tuple(map(max, shape, tensors[n])) for n, shape in held.items()}
        if grown != held:
            most[place] = grown
    return most


def stores(
    space: Space, picks: Picks, shapes: Shapes, layers: Mapping[str, nn.Module], shots: int, transform: bool
) -> dict[str, Stored]:
    """Enlarge the layers, and add to each as many further stores, and transforms of its kernels, as are asked for."""
    sizes = largest(space, picks, shapes)
    sides = kernel_sides(space, picks) if transform else {}
    made = {}
    for place, first in layers.items():
        layer, settings, inputs = shapes.layers[place]
        further = [build(layer, inputs, settings) for _ in range(shots - 1)] if first.state_dict() else []
        for one in (first, *further):
            enlarge(one, sizes.get(place, {}))
        kernels = {
            name: KernelTransform([*found])
            for name, found in sides.get(place, {}).items()
            if nested([*found]) and _is_kernel(first, name)
        }
        made[place] = Stored(place, [first, *further], kernels, runs_whole=place not in sizes and not further)
    return made


def _is_kernel(layer: nn.Module, name: str) -> bool:
    path, _, leaf = name.rpartition(".")
    return leaf == "weight" and isinstance(layer.get_submodule(path), nn.modules.conv._ConvNd)


def kernel_sides(space: Space, picks: Picks) -> dict[str, dict[str, set[Shape]]]:
    """Place -> tensor name -> the heights and widths that it has at some size, where it has any."""
    found: dict[str, dict[str, set[Shape]]] = {}
    for _, _, place, tensors in _swept(space, picks):
        for name, shape in tensors.items():
            if len(shape) > KERNEL:
                found.setdefault(place, {}).setdefault(name, set()).add(shape[KERNEL:])
    return found


def _swept(space: Space, picks: Picks) -> Iterator[tuple[str, str, str, Mapping[str, Shape]]]:
    """Every option of every size, alone: decision, option, and each place with its tensors' shapes."""
    for name, decision in space.decisions.items():
        if not decision.of_values or name in space.recipe_decisions:
            continue
        for option in decision.options:
            swept, _ = trace(space, OneSize(picks, name, option), asides=True)
            for place, layer in swept.layers.items():
                yield name, option, place, layer_facts(place, *layer).tensors


def _comparable(place: str, name: str, option: str, tensors: Mapping[str, Shape], held: Mapping[str, Shape]) -> None:
    ranks = {n: len(shape) for n, shape in tensors.items()}
    others = {n: len(shape) for n, shape in held.items()}
    if ranks != others:
        changed = sorted({n for n in ranks | others if ranks.get(n) != others.get(n)})
        raise SpaceError(
            f"{place}: option {option!r} of decision {name!r} changes which tensors the layer has ({changed}), "
            "so one stored layer cannot serve all options; make it a choice between layers instead of a setting"
        )


def enlarge(layer: nn.Module, sizes: Mapping[str, Shape]) -> None:
    """Grow a layer's tensors in place; what is new repeats the initial values, so it has their distribution."""
    for name, shape in sizes.items():
        path, _, leaf = name.rpartition(".")
        owner = layer.get_submodule(path)
        old = getattr(owner, leaf)
        grown = old.detach()
        for d, n in enumerate(shape):
            grown = grown.index_select(d, torch.arange(n, device=grown.device) % grown.shape[d])
        if isinstance(old, nn.Parameter):
            owner._parameters[leaf] = nn.Parameter(grown, requires_grad=old.requires_grad)
        else:
            owner._buffers[leaf] = grown
