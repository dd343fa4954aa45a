"""How large a supernet stores each layer's tensors: the maximum per dimension over all options of every size."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from nasengine.errors import SpaceError
from nasengine.interpreters.shape import Shape, Shapes, layer_facts, trace
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
    for name, decision in space.decisions.items():
        if not decision.of_values or name in space.recipe_decisions:
            continue
        for option in decision.options:
            swept, _ = trace(space, OneSize(picks, name, option), asides=True)
            for place, layer in swept.layers.items():
                tensors = layer_facts(place, *layer).tensors
                held = most.get(place, base[place])
                _comparable(place, name, option, tensors, held)
                grown = {n: tuple(map(max, shape, tensors[n])) for n, shape in held.items()}
                if grown != held:
                    most[place] = grown
    return most


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
