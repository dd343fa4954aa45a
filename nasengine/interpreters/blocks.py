"""What the trained pieces of a network are like, as vectors: a block is a layer with parameters, at its place.

For weights that pass from one network to the next by similarity of blocks (FNAS, Liu et al., 2021,
https://arxiv.org/abs/2105.11694). The paper's description is not public in detail; this one is ours.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nasengine.interpreters.shape import Shape, layer_facts, trace
from nasengine.space import Architecture, Space

LAYER = 1.0  # what the class of a layer counts: more than all else together
WORD = 0.2  # what a setting counts that is no number
NUMBER = 0.1  # what a number counts for each doubling
STAGE = 0.2  # what each halving of the image counts, and the way from the first block to the last


@dataclass(frozen=True)
class Block:
    """A layer with parameters: its place, and its description as a sparse vector (name of a feature to its value)."""

    place: str
    features: Mapping[str, float]


def blocks(space: Space, architecture: Architecture) -> list[Block]:
    """Every block of an architecture in the order of the walk, those of branches for the loss alone included."""
    shapes, _ = trace(space, architecture, asides=True)
    facts = {place: layer_facts(place, *layer) for place, layer in shapes.layers.items()}
    trained = [place for place in shapes.layers if facts[place].params]
    found = []
    for position, place in enumerate(trained):
        layer, settings, inputs = shapes.layers[place]
        features = {f"layer {layer.__module__}.{layer.__qualname__}": LAYER}
        for name, value in settings.items():
            features |= _setting(name, value)
        features |= {f"width in {i}": _doublings(shape[0]) for i, shape in enumerate(inputs)}
        features["width out"] = _doublings(facts[place].output[0])
        features["halvings"] = STAGE * _halvings(space.input, inputs[0])
        features["position"] = STAGE * position / len(trained)
        found.append(Block(place, features))
    return found


def _setting(name: str, value: Any) -> dict[str, float]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return {f"{name}={value!r}": WORD}
    return {name: math.copysign(_doublings(abs(value)), value)}


def _doublings(number: float) -> float:
    return NUMBER * math.log2(1 + number)


def _halvings(image: Shape, shape: Shape) -> float:
    """How often the image was halved in both directions before it arrived here."""
    return 0.5 * math.log2(math.prod(image[1:]) / math.prod(shape[1:]))
