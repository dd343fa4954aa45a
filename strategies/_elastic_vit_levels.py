"""Levels of complexity: networks of about as many multiply-adds, and a walk from level to level."""

import random
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache

from nasengine.interpreters.cost import cost
from nasengine.interpreters.ends import smallest
from nasengine.space import Architecture, Space

SAMPLES = 300  # random networks that the levels are made of
TRIES = 100  # draws for a network of a level; then the nearest of them is taken
REMEMBERED = 100_000  # networks whose multiply-adds are kept
STEPS = (-1, 0, 1)


def reachable(level: int, number: int) -> list[int]:
    """Where the walk goes from a level, each with a chance of one third; at either end two of the three are to stay."""
    return [min(max(level + step, 0), number - 1) for step in STEPS]


class Levels:
    """Quantiles of the multiply-adds of random networks, as many in each; always the same for a space."""

    def __init__(self, space: Space, number: int, minima: int) -> None:
        self.space, self.number = space, number
        self.macs = lru_cache(REMEMBERED)(lambda architecture: cost(space, architecture).macs)
        rng = random.Random(0)
        drawn = sorted((space.sample(rng) for _ in range(SAMPLES)), key=self.macs)
        self.bounds = [self.macs(drawn[level * SAMPLES // number]) for level in range(1, number)]
        self.minimal = self._minimal(drawn, min(minima, number))

    def _minimal(self, drawn: Sequence[Architecture], minima: int) -> list[Architecture]:
        """For each level the smallest network of the lowest level of its group."""
        found = {0: smallest(self.space)}
        for architecture in reversed(drawn):  # the cheapest of each level last
            level = self.of(architecture)
            found[level] = architecture if level else found[0]
        lowest = [-(-(level * minima // self.number) * self.number // minima) for level in range(self.number)]
        return [found[max(level for level in found if level <= low)] for low in lowest]

    def of(self, architecture: Architecture) -> int:
        """The level of a network, from 0."""
        return bisect_right(self.bounds, self.macs(architecture))

    def sample(self, level: int, rng: random.Random) -> Architecture:
        """A random network of a level, or of one as near as could be found."""
        best = self.space.sample(rng)
        for _ in range(TRIES):
            if self.of(best) == level:
                break
            best = min(best, self.space.sample(rng), key=lambda one: abs(self.of(one) - level))
        return best
