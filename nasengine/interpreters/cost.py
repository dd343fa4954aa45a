"""What a network costs: parameters and multiply-adds, counted on the meta device without building it."""

from dataclasses import dataclass

from nasengine.interpreters.shape import trace
from nasengine.space import Picks, Space


@dataclass(frozen=True)
class Cost:
    """Sums over the layers of one network; branches for the loss alone and training-only layers do not count."""

    params: int
    macs: int  # multiply-adds per image of convolutions and matrix products; norms, pools and sums are not counted


def cost(space: Space, picks: Picks) -> Cost:
    """Parameters and multiply-adds (per image) of the network that the picks describe."""
    shapes, _ = trace(space, picks)
    layers = shapes.layers
    counted = [f for place, f in shapes.facts.items() if not getattr(layers[place][0], "training_only", False)]
    return Cost(sum(facts.params for facts in counted), sum(facts.macs for facts in counted))
