"""Random search: every decision is drawn uniformly, whatever was found before.

The yardstick of architecture search (Li and Talwalkar, 2019, https://arxiv.org/abs/1902.07638): a strategy that is no
better at equal budget has found nothing.
"""

import random

from nasengine.search.strategy import Told
from nasengine.space import Architecture, Space


class RandomSearch:
    """Proposes random architectures and learns nothing from their results."""

    def __init__(self, space: Space):
        self.space = space

    def ask(self, rng: random.Random) -> Architecture:
        """A random architecture."""
        return self.space.sample(rng)

    def tell(self, result: Told) -> None:
        """Nothing: the next proposal does not depend on results."""
