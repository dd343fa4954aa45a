"""Regularised evolution: the best of a small random sample has a mutated child, and the oldest dies.

Aging evolution (Real et al., 2019, https://arxiv.org/abs/1802.01548): a population is filled at random. Then, for every
child, `sample` members are drawn uniformly and with replacement; the best of them (of equals the first drawn) is
mutated in one decision. The child enters the population, its oldest member leaves it. There is no crossover, and an
architecture may come again. The best of all that was ever evaluated counts, though it may have died since.

Departures: failed trainings never enter the population, so that a search whose first trainings fail goes on at random
until the population is full. The defaults are smaller than the published 100 and 25, which are for 20,000 trainings.
"""

import random
from operator import itemgetter

from nasengine.errors import NasError
from nasengine.search.strategy import Told
from nasengine.space import Architecture, Space


class Evolution:
    """A population that changes by tournament, mutation and death.

    population: members that live at the same time
    sample: members drawn for each tournament, with replacement
    aging: whether the oldest dies; without, the worst does
    """

    def __init__(self, space: Space, population: int = 20, sample: int = 10, aging: bool = True) -> None:
        if population < 1 or sample < 1:
            raise NasError(
                f"strategy evolution: population={population}, sample={sample} came; each is at least 1, "
                "and a sample far larger than the population always finds its best member"
            )
        self.space, self.population, self.sample, self.aging = space, population, sample, aging
        self.living: list[tuple[float, Architecture]] = []  # with their values; a ring, so that a death costs nothing
        self.oldest = 0  # where in the ring

    def ask(self, rng: random.Random) -> Architecture:
        """A child; or, before the population is full, a random architecture."""
        if len(self.living) < self.population:
            return self.space.sample(rng)
        drawn = rng.choices(self.living, k=self.sample)
        return self.space.mutate(max(drawn, key=_VALUE)[1], rng)

    def tell(self, result: Told) -> None:
        """Take a member in; where that is one too many, another one leaves."""
        if result.value is None:
            return
        newcomer = (result.value, result.architecture)
        if len(self.living) < self.population:
            self.living.append(newcomer)
        elif self.aging:
            self.living[self.oldest] = newcomer
            self.oldest = (self.oldest + 1) % self.population
        else:
            self._replace_worst(newcomer)

    def _replace_worst(self, newcomer: tuple[float, Architecture]) -> None:
        worst = min(range(self.population), key=lambda place: self.living[place][0])
        if newcomer[0] >= self.living[worst][0]:
            self.living[worst] = newcomer


_VALUE = itemgetter(0)
