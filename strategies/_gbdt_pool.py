"""What GBDT-NAS chooses from: a whole space, or what evolution on the model's scores brings forth."""

import random
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache

import numpy

from nasengine.errors import SpaceError
from nasengine.interpreters.features import Code, Features, Matrix, Switches
from nasengine.space import Architecture, Space
from nasengine.space.counting import count
from nasengine.strategies._gbdt_model import Numbers
from nasengine.strategies._gbdt_prune import Pruned

ENUMERABLE = 20_000  # architectures (before a `where`) that are all scored
PARENTS = 20  # that have children in a generation
GENERATIONS = 4
STEPS = 3  # most mutations between a parent and its child
RANDOM = 0.4  # random architectures, as a share of the mutants


class Pool:
    """Candidates, and what is known of them."""

    def __init__(self, features: Features, architectures: Sequence[Architecture]) -> None:
        self.features, self.architectures = features, architectures

    @cached_property
    def codes(self) -> Matrix:
        """The features of each."""
        return self.features.of(self.architectures)

    @cached_property
    def picked(self) -> Switches:
        """The options of each."""
        return self.features.picked(self.architectures)

    @cached_property
    def rows(self) -> dict[Architecture, int]:
        """Which of them an architecture is."""
        return {one: row for row, one in enumerate(self.architectures)}

    @cached_property
    def identities(self) -> list[bytes]:
        """The network of each."""
        return self.features.identities(self.architectures)

    def neighbours(self, architecture: Architecture) -> Switches:
        """Which of them answer one decision, of those that both are asked, differently."""
        names = [name for name, _ in self.features.options]
        starts = [place for place, name in enumerate(names) if not place or name != names[place - 1]]
        one = self.features.picked([architecture])
        differ, here, there = (
            numpy.logical_or.reduceat(on, starts, axis=1) for on in (self.picked ^ one, self.picked, one)
        )
        return (differ & here & there).sum(axis=1) == 1


@lru_cache(maxsize=4)
def whole(space: Space, code: Code) -> Pool | None:
    """The whole space, coded once for all searches in it; None where it is too large."""
    try:
        few = count(space.decisions) <= ENUMERABLE
    except OverflowError:
        few = False
    if not few:
        return None
    pool = Pool(Features(space, code), list(space.enumerate()))
    pool.features.learn(pool.architectures)
    return pool


def evolved(
    pruned: Pruned,
    best: Sequence[Architecture],
    score: Callable[[Sequence[Architecture]], Numbers],
    size: int,
    rng: random.Random,
) -> tuple[Pool, Numbers]:
    """`size` mutants and some random architectures, with the model's scores.

    The first generation are children of the `best`, which come best first and the better the more often; each later
    one has the best that the model knows of by then as parents.
    """
    space = pruned.space()
    pool: dict[Architecture, float] = {}
    parents = list(best[:PARENTS])
    if pruned.options:
        parents = [space.follow(one.picks, rng) for one in parents]  # without what has been pruned since
    for generation in range(GENERATIONS):
        drawn = [] if generation else [space.sample(rng) for _ in range(int(size * RANDOM))]
        places = [rng.random() ** (1 if generation else 2) for _ in range(max(1, size // GENERATIONS))]
        new = drawn + [child for at in places for child in _child(space, parents[int(at * len(parents))], rng)]
        new = pruned.allowed([one for one in dict.fromkeys(new) if one not in pool])
        if new:
            pool.update(zip(new, map(float, score(new)), strict=True))
            parents = sorted(pool, key=lambda one: -pool[one])[:PARENTS]
    return Pool(pruned.features, list(pool)), numpy.array(list(pool.values()))


def _child(space: Space, parent: Architecture, rng: random.Random) -> list[Architecture]:
    """One mutant, or none where the space has no other architecture near."""
    child = parent
    try:
        for _ in range(rng.randint(1, STEPS)):
            child = space.mutate(child, rng)
    except SpaceError:
        return []
    return [child]
