"""The smallest and the largest networks of a space, by any figure, found by hill climbing."""

import random
from collections.abc import Callable, Iterator

from nasengine.interpreters.cost import Cost, cost
from nasengine.space import Architecture, Space

STARTS = 6  # random architectures; the best of them is where the climb begins
PICKS = 24  # most answers tried for one decision

Figure = Callable[[Architecture], float]


def extremes(space: Space, rng: random.Random) -> tuple[Cost, Cost]:
    """Return the smallest and the largest cost found: parameters and multiply-adds each, of possibly two networks.

    Each climb changes one decision after the other for the better until none helps, so what it finds is a bound from
    inside: where decisions depend on one another, a smaller or larger network may exist.
    """
    known: dict[Architecture, Cost] = {}

    def price(architecture: Architecture) -> Cost:
        if architecture not in known:
            known[architecture] = cost(space, architecture)
        return known[architecture]

    starts = [space.sample(rng) for _ in range(STARTS)]
    found = []
    for sign in (-1, 1):

        def params(one: Architecture, sign: int = sign) -> int:
            return sign * price(one).params

        def macs(one: Architecture, sign: int = sign) -> int:
            return sign * price(one).macs

        best = _climb(space, max(starts, key=params), params, rng)
        other = _climb(space, best, macs, rng)
        found.append(Cost(price(best).params, price(other).macs))
    return found[0], found[1]


def smallest(space: Space, figure: Figure, rng: random.Random) -> float:
    """The smallest value of a figure that such a climb finds."""
    known: dict[Architecture, float] = {}

    def gain(architecture: Architecture) -> float:
        if architecture not in known:
            known[architecture] = -figure(architecture)
        return known[architecture]

    starts = [space.sample(rng) for _ in range(STARTS)]
    return -gain(_climb(space, max(starts, key=gain), gain, rng))


def _climb(space: Space, start: Architecture, value: Figure, rng: random.Random) -> Architecture:
    best, better = start, True
    while better:
        better = False
        for name in space.decisions:
            for neighbour in _neighbours(space, best, name, rng):
                if value(neighbour) > value(best):
                    best, better = neighbour, True
    return best


def _neighbours(space: Space, architecture: Architecture, name: str, rng: random.Random) -> Iterator[Architecture]:
    """The architecture with other answers to one decision, legal again; nothing where it is not asked."""
    picks = architecture.picks
    if name not in picks or name in space.recipe_decisions:
        return
    decision = space.decisions[name]
    others = list(decision.picks()) if decision.ways() <= PICKS else [decision.draw(rng) for _ in range(PICKS)]
    for other in others:
        if other != picks[name]:
            yield space.follow({**picks, name: other}, rng)
