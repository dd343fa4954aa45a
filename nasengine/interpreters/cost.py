"""What a network costs: parameters and multiply-adds, counted on the meta device without building it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nasengine.interpreters.shape import Shape, layer_facts, trace
from nasengine.interpreters.tally import Tally
from nasengine.space import Architecture, Picks, Space


@dataclass(frozen=True)
class Cost:
    """Sums over the layers of one network; branches for the loss alone and training-only layers do not count."""

    params: int
    macs: int  # multiply-adds per image of convolutions and matrix products; norms, pools and sums are not counted


def cost(space: Space, picks: Picks) -> Cost:
    """Parameters and multiply-adds (per image) of the network that the picks describe.

    The first architectures of a space take longer than later ones, of which most pieces are known.
    """
    return Cost(*_tally.of(space, picks)) if isinstance(picks, Architecture) else cost_by_layers(space, picks)


def cost_by_layers(space: Space, picks: Picks) -> Cost:
    """The same, every layer looked at: of any picks, and what `cost` is held against."""
    shapes, _ = trace(space, picks)
    layers = shapes.layers
    counted = [f for place, f in shapes.facts.items() if not getattr(layers[place][0], "training_only", False)]
    return Cost(sum(facts.params for facts in counted), sum(facts.macs for facts in counted))


def _of_layer(
    place: str, layer: type, settings: Mapping[str, Any], inputs: tuple[Shape, ...]
) -> tuple[Shape, tuple[int, int]]:
    facts = layer_facts(place, layer, settings, inputs)
    counts = not getattr(layer, "training_only", False)
    return facts.output, (facts.params, facts.macs) if counts else (0, 0)


_tally = Tally((0, 0), _of_layer, lambda one, other: (one[0] + other[0], one[1] + other[1]))
