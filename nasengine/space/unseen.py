"""Which architectures of a space have not been seen, for strategies that never propose one twice."""

import random
from functools import cached_property

from nasengine.space.counting import count
from nasengine.space.picks import Architecture
from nasengine.space.space import Space

LISTED = 100_000  # spaces of at most so many architectures (before a `where`) are listed when drawing finds nothing new
TRIES = 1000  # draws before that


class Unseen:
    """The architectures of a space, less those that were seen.

    `draw` gives None only where nothing is left; in a space too large to be listed, where 1,000 draws found nothing.
    """

    def __init__(self, space: Space) -> None:
        self.space = space
        self.seen: set[Architecture] = set()

    def __contains__(self, architecture: Architecture) -> bool:
        return architecture not in self.seen

    def remove(self, architecture: Architecture) -> None:
        """This one has been seen now."""
        self.seen.add(architecture)

    def draw(self, rng: random.Random) -> Architecture | None:
        """A random architecture of those that are left."""
        for _ in range(TRIES):
            made = self.space.sample(rng)
            if made not in self.seen:
                return made
        left = [one for one in self._listed if one not in self.seen]
        return rng.choice(left) if left else None

    @cached_property
    def _listed(self) -> list[Architecture]:
        """All of a small space."""
        try:
            number = count(self.space.decisions)
        except OverflowError:
            return []
        return list(self.space.enumerate()) if number <= LISTED else []
