"""Random search: every decision is drawn uniformly, whatever was found before.

The yardstick of architecture search (Li and Talwalkar, 2019, https://arxiv.org/abs/1902.07638): a strategy that is no
better at equal budget has found nothing.
"""

import random

from nasengine.search.strategy import Told
from nasengine.space import Architecture, Space
from nasengine.space.unseen import Unseen


class RandomSearch:
    """Proposes random architectures; all that it may learn from results is what not to repeat.

    repeats: whether an architecture may come again; without, the search ends when all of a space were tried
    """

    def __init__(self, space: Space, repeats: bool = True) -> None:
        self.space, self.repeats = space, repeats
        self.unseen = Unseen(space)

    def ask(self, rng: random.Random) -> Architecture | None:
        """A random architecture; None where repeats are not wanted and all have been told."""
        return self.space.sample(rng) if self.repeats else self.unseen.draw(rng)

    def tell(self, result: Told) -> None:
        """Take note that it was tried; what came of it does not matter."""
        if not self.repeats:
            self.unseen.remove(result.architecture)
