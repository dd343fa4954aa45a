"""What a network costs: parameters and multiply-adds, counted on the meta device without building it."""

from dataclasses import dataclass

from nasengine.interpreters.shape import layer_facts, trace
from nasengine.space import Picks, Space


@dataclass(frozen=True)
class Cost:
    """Sums over the layers of one network; branches for the loss alone and training-only layers do not count."""

    params: int
    macs: int  # multiply-adds per image of convolutions and matrix products; norms, pools and sums are not counted


def cost(space: Space, picks: Picks) -> Cost:
    """Parameters and multiply-adds (per image) of the network that the picks describe."""
    shapes, _ = trace(space, picks)
    counted = [
        layer_facts(place, layer, settings, inputs)
        for place, (layer, settings, inputs) in shapes.layers.items()
        if not getattr(layer, "training_only", False)
    ]
    return Cost(sum(facts.params for facts in counted), sum(facts.macs for facts in counted))
