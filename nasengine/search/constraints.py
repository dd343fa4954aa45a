"""A space within bounds: what breaks one that is known before training is no architecture of it."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from math import inf

from nasengine.errors import SpaceError, TableError
from nasengine.interpreters.extremes import smallest
from nasengine.search.objective import Goal, Objective, known_before_training
from nasengine.space import Architecture, Space

Estimate = Callable[[Architecture], Mapping[str, float]]
REMEMBERED = 100_000  # architectures whose figures are kept


def bounded(space: Space, goal: Goal, estimate: Estimate) -> Space:
    """The space without what breaks a bound of the goal that `estimate` knows before training.

    Such architectures are found however rare they are. Raises SpaceError where there are none, naming the smallest
    value that was found. The space itself is returned where the goal has no such bounds.
    """
    bounds = [one for one in goal.bounds if known_before_training(one.name) and goal.reward == "constraint"]
    if not bounds:
        return space
    within = Bounds(space, bounds, estimate)
    made = replace(space, where=within)
    try:
        made.sample(random.Random(0))
    except SpaceError as error:
        raise SpaceError(f"space {space.name}: {within.shortfall(space)}") from error
    return made


class Bounds:
    """The condition of a bounded space, joined with the space's own; it says by how much it is broken."""

    def __init__(self, space: Space, bounds: Sequence[Objective], estimate: Estimate) -> None:
        self.own, self.goal, self.estimate = space.where, Goal(tuple(bounds)), estimate
        words = [f"{one.name} is at most {one.bound:,.12g} (an objective of this search)" for one in bounds]
        own = [] if self.own is None else [space.condition_words()]
        self.__doc__ = "; ".join([*own, *words])
        self.violation = lru_cache(REMEMBERED)(self._violation)

    def __call__(self, architecture: Architecture) -> bool:
        """Whether everything holds."""
        return self.violation(architecture) == 0

    def _violation(self, architecture: Architecture) -> float:
        """The sum of relative excesses over the bounds; infinite where the space's own condition is broken."""
        if self.own is not None and not self.own(architecture):
            return inf
        try:
            return self.goal.violation(self.estimate(architecture))
        except TableError:  # it has no row of it
            return inf

    def shortfall(self, space: Space) -> str:
        """Why no architecture of a space is within the bounds, in words."""
        least = {one.name: smallest(space, self._figure(one.name), random.Random(0)) for one in self.goal.bounds}
        beyond = [
            f"{one} came; the smallest {one.name} that was found is {least[one.name]:,.12g}"
            for one in self.goal.bounds
            if least[one.name] > (one.bound or 0.0)
        ]
        if beyond:
            return "; ".join(beyond) + ". Raise the bound, or give the space smaller sizes"
        each = ", ".join(f"{name} {value:,.12g}" for name, value in least.items())
        return (
            f"none was found within {' and '.join(map(str, self.goal.bounds))} at once; the smallest values, each of "
            f"another architecture, are {each}. Raise a bound, or give the space smaller sizes"
        )

    def _figure(self, name: str) -> Callable[[Architecture], float]:
        def figure(architecture: Architecture) -> float:
            try:
                return self.estimate(architecture)[name]
            except TableError:
                return inf

        return figure
