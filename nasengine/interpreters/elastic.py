"""What the sizes of a space change: the kernels of layers, how many layers there are, or how wide they are."""

import math
from dataclasses import dataclass
from typing import Literal

from nasengine.interpreters.shape import Shape, layer_facts, trace
from nasengine.interpreters.slicing import KERNEL
from nasengine.interpreters.store import OneSize
from nasengine.space import EVERYTHING, Picks, Space

Changes = Literal["kernel", "depth", "width"]
Tensors = dict[tuple[str, str], Shape]  # by place and tensor name


@dataclass(frozen=True)
class Elastic:
    """A decision between sizes: what it changes, and its options, the one with the most weights first."""

    changes: Changes
    options: tuple[str, ...]


def elastic(space: Space) -> dict[str, Elastic]:
    """Every decision that changes what is stored, read off the weights of the networks and not off names.

    A width that is cut along with something else counts as width, and fewer layers as depth before kernels. What
    changes no weight, such as a stride or a resolution, is not here; nor is a choice between layers.
    """
    found = {}
    everything = tensors(space, EVERYTHING)
    for name, by_option in swept(space).items():
        changes = {_change(everything, one) for one in by_option.values()}
        if changes == {None}:
            continue
        first: Changes = next(kind for kind in ("width", "depth", "kernel") if kind in changes)
        weight = {option: sum(map(math.prod, one.values())) for option, one in by_option.items()}
        found[name] = Elastic(first, tuple(sorted(by_option, key=lambda option: -weight[option])))
    return found


def swept(space: Space) -> dict[str, dict[str, Tensors]]:
    """Decision between values -> option -> all tensors of the network of everything that has this option."""
    return {
        name: {option: tensors(space, OneSize(EVERYTHING, name, option)) for option in decision.options}
        for name, decision in space.decisions.items()
        if decision.of_values and name not in space.recipe_decisions
    }


def tensors(space: Space, picks: Picks) -> Tensors:
    """The shape of each tensor of a network."""
    shapes, _ = trace(space, picks, asides=True)
    return {
        (place, tensor): shape
        for place, layer in shapes.layers.items()
        for tensor, shape in layer_facts(place, *layer).tensors.items()
    }


def _change(everything: Tensors, one: Tensors) -> Changes | None:
    """The one that counts of all that differs."""
    pairs = [(shape, everything[key]) for key, shape in one.items() if key in everything]
    if any(a[:KERNEL] != b[:KERNEL] for a, b in pairs):
        return "width"
    if one.keys() != everything.keys():
        return "depth"
    return "kernel" if any(a != b for a, b in pairs) else None
