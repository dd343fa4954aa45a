"""The contract of equality: what was searched is what is evaluated, and what is evaluated is what is exported.

A supernet run with an architecture, the network inherited from it, and the exported source put out the same numbers.
"""

import random
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from nasengine.interpreters.digest import digest
from nasengine.interpreters.model import Model
from nasengine.interpreters.source import source, state
from nasengine.space import Architecture, Space
from nasengine.testing.other_python import OtherPython, predicted
from nasengine.testing.precision import apart, double, shake

TOLERANCE = 1e-10  # in double precision, relative to the output's size
STEPS = 3
IMAGES = 4
SIDE = 32  # a map of one pixel cannot tell a pool from a skip: changes are looked for on images of this side at least


def trained_supernet(space: Space, seed: int = 0) -> Model:
    """A supernet in double precision after three steps of SGD on random images, each with another architecture."""
    rng = random.Random(seed)
    torch.manual_seed(seed)
    model = _without_drops(Model(space).train())
    weights = list(model.parameters())
    optimizer = torch.optim.SGD(weights or [torch.zeros(1)], lr=0.01)
    for _ in range(STEPS if weights else 0):
        output = model(torch.randn(IMAGES, *space.input), space.sample(rng))
        loss = nn.functional.cross_entropy(output, torch.randint(0, output.shape[1], (IMAGES, *output.shape[2:])))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    shake(model)
    return model


def some_of(space: Space, each: int, seed: int = 0) -> list[Architecture]:
    """Architectures that were sampled, mutated and crossed, `each` of a kind; mutants where there are neighbours."""
    rng = random.Random(seed)
    sampled = [space.sample(rng) for _ in range(each)]
    can_change = any(decision.ways() > 1 for decision in space.decisions.values())
    mutated = [space.mutate(one, rng) for one in sampled] if can_change else []
    return sampled + mutated + [space.cross(one, rng.choice(sampled), rng) for one in sampled]


def equality_faults(space: Space, architectures: Sequence[Architecture], alone: OtherPython) -> Iterator[str]:
    """Where supernet, inherited network and exported source differ, in evaluation and in training mode."""
    with double():
        model = trained_supernet(space)
        images = torch.randn(IMAGES, *space.input)
        for architecture in dict.fromkeys(architectures):
            child = _without_drops(model.inherit(architecture))
            made = source(space, architecture)
            exported = predicted(alone, made.text, state(child, made), images)
            for mode in ("eval", "train"):
                wanted = _output(model.train(mode == "train"), images, architecture)
                others = {
                    "the inherited network": _output(child.train(mode == "train"), images),
                    "the exported source": exported[mode],
                }
                for name, given in others.items():
                    distance = apart(wanted, given)
                    if distance > TOLERANCE:
                        yield f"{name} is {distance:.1e} off the supernet in {mode} mode for {architecture.to_json()}"


def change_faults(space: Space, architectures: Sequence[Architecture], seed: int = 0) -> Iterator[str]:
    """Changes of one decision that change the digest, but not what the network puts out."""
    rng = random.Random(seed)
    with double():
        model = trained_supernet(space).eval()
        images = _larger_images(model, architectures[0])
        for one in dict.fromkeys(architectures):
            other = space.mutate(one, rng)
            distance = apart(_output(model, images, one), _output(model, images, other))
            if distance <= TOLERANCE and digest(space, one) != digest(space, other):
                name = next(n for n in [*one.picks, *other.picks] if one.picks.get(n) != other.picks.get(n))
                yield f"{name!r} goes from {one.picks.get(name)} to {other.picks.get(name)}, and the output stays"


def _without_drops(model: Model) -> Model:
    """No path is dropped in training: exported source has none to drop."""
    for module in model.modules():
        set_rate = getattr(module, "set_drop_rate", None)
        if set_rate is not None:
            set_rate(0.0)
    return model


def _output(model: Model, images: Tensor, architecture: Architecture | None = None) -> Tensor:
    torch.manual_seed(0)  # dropout draws the same for all
    with torch.no_grad():
        return model(images, architecture)


def _larger_images(model: Model, architecture: Architecture) -> Tensor:
    """Images no smaller than SIDE, where the layers take them."""
    channels, *sides = model.space.input
    larger = torch.randn(IMAGES, channels, *(max(side, SIDE) for side in sides))
    try:
        _output(model, larger, architecture)
    except Exception:
        return torch.randn(IMAGES, *model.space.input)
    return larger
