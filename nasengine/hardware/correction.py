"""From the sum of a network's layers to its latency: what a few whole networks took says how."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from scipy.optimize import nnls

from nasengine.errors import SpaceError
from nasengine.interpreters.shape import trace
from nasengine.space import Architecture, Space

FITTED = 8  # whole networks that the correction is fitted to
TRIES = 50  # draws for each network that is wanted, where a space holds few


@dataclass(frozen=True)
class Correction:
    """From the sum of a network's layers to its latency: milliseconds of overhead, and a factor."""

    overhead: float
    factor: float
    networks: int

    def of(self, layers: float) -> float:
        """The latency of a network whose layers take so many milliseconds."""
        return self.overhead + self.factor * layers


def fit(sums: Sequence[float], wholes: Sequence[float]) -> Correction:
    """Overhead and factor, neither below 0, with the least squares of relative errors."""
    by = np.asarray(wholes)
    (overhead, factor), _ = nnls(np.stack([np.ones(len(by)), np.asarray(sums)], axis=1) / by[:, None], np.ones(len(by)))
    if factor == 0 and sum(sums) > 0:  # noise hid that more layers take longer
        return Correction(0.0, sum(wholes) / sum(sums), len(by))
    return Correction(float(overhead), float(factor), len(by))


def draw(space: Space, number: int, rng: Random, without: Sequence[Architecture] = ()) -> list[Architecture]:
    """So many different random networks, fewer where the space has no more; those without an output are passed over."""
    return [one for one, _ in zip(_drawn(space, number * TRIES, rng, without), range(number), strict=False)]


def _drawn(space: Space, tries: int, rng: Random, without: Sequence[Architecture]) -> Iterator[Architecture]:
    seen = set(without)
    for _ in range(tries):
        made = space.sample(rng)
        if made in seen:
            continue
        seen.add(made)
        try:
            trace(space, made)
        except SpaceError:
            continue
        yield made
