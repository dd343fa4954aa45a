"""My strategy: change one answer of the best network so far, and now and then begin anew."""

import random

from nasengine.search.strategy import Told
from nasengine.space import Architecture, Space


class HillClimbing:
    """Proposes neighbours of the best network that it was told of.

    restart: how often a random network is proposed instead
    """

    def __init__(self, space: Space, restart: float = 0.1):
        self.space, self.restart = space, restart
        self.best: Told | None = None
        self.highest = float("-inf")

    def ask(self, rng: random.Random) -> Architecture:
        """The next proposal; it changes nothing here."""
        if self.best is None or rng.random() < self.restart:
            return self.space.sample(rng)
        return self.space.mutate(self.best.architecture, rng)

    def tell(self, result: Told) -> None:
        """Remember the best; a result without a value is a network that failed."""
        if result.value is not None and result.value > self.highest:
            self.best, self.highest = result, result.value
