"""Reaching architectures that meet a rare condition: answers are changed one by one until nothing is broken any more.

A condition can be steered by where it says how far an architecture is from meeting it. From a random start, answers
that nobody wished for are changed at random as long as that brings it nearer; where that is not enough, wishes are
given up, each time the one of a few that helps most. What was free is then shuffled within the condition, so that
architectures are found that differ, and not only those that only just meet it.
"""

import random
from collections.abc import Sequence
from math import inf
from typing import TYPE_CHECKING, Protocol, TypeGuard

from nasengine.space.picks import Architecture

if TYPE_CHECKING:
    from nasengine.space.space import Space, Wishes

WALKS = 30  # from other starts, before a condition counts as impossible
FEW = 2  # where one answer is fixed, and another one will do as well
STARTS = 1000  # drawn in search of those walks' starts
LOOKS = 24  # changes of wishes among which the best is taken
PATIENCE = 4  # tries for each other answer without getting nearer, before wishes are given up


class Steered(Protocol):
    """A condition that says by how much it is broken."""

    def __call__(self, architecture: Architecture) -> bool:
        """Whether it holds."""

    def violation(self, architecture: Architecture) -> float:
        """0 where it holds; infinite where something is broken that has no measure."""


def is_steered(where: object) -> TypeGuard[Steered]:
    """Whether a condition can be steered by."""
    return hasattr(where, "violation")


def altered(
    space: "Space", architecture: Architecture, names: Sequence[str], rng: random.Random
) -> tuple[str, dict[str, tuple[str, ...]]]:
    """One of these decisions, and the picks with another answer to it."""
    decision, picks = space.decisions[rng.choice(names)], architecture.picks
    other = decision.draw(rng)
    while other == picks[decision.name]:
        other = decision.draw(rng)
    return decision.name, {**picks, decision.name: other}


def steer(space: "Space", wishes: "Wishes", rng: random.Random, fixed: str | None = None) -> Architecture | None:
    """An architecture that meets the space's condition, with as many wishes kept as that allows.

    The answer to the decision `fixed` stays as wished. None where nothing was found, or nothing says how far it is.
    """
    where = space.where
    if not is_steered(where):
        return None
    walks, most = 0, WALKS if fixed is None else FEW
    for _ in range(STARTS):
        kept = {n: w for n, w in wishes.items() if not walks or n == fixed or rng.random() >= walks / most}
        start = space.complete(kept, rng)
        if where.violation(start) == inf:
            continue
        found = _Walk(space, where, kept, rng, fixed).down(start)
        if found is not None:
            return found
        walks += 1
        if walks == most:
            break
    return None


class _Walk:
    def __init__(self, space: "Space", where: Steered, wishes: "Wishes", rng: random.Random, fixed: str | None):
        self.space, self.where, self.wishes, self.rng, self.fixed = space, where, dict(wishes), rng, fixed

    def down(self, architecture: Architecture) -> Architecture | None:
        """Where the condition is met; None where no single change comes nearer to that."""
        broken = self.where.violation(architecture)
        while broken:
            architecture, nearer = self.drift(architecture, broken)
            if nearer == broken:
                architecture, nearer = self.give_up_a_wish(architecture, broken)
                if nearer == broken:
                    return None
            broken = nearer
        return self.shuffled(architecture)

    def open(self, architecture: Architecture, wished: bool) -> list[str]:
        """The decisions that may be answered otherwise: those with a wish, or those without."""
        names = self.space.open_decisions(architecture)
        return [name for name in names if (name in self.wishes) == wished and name != self.fixed]

    def changed(self, architecture: Architecture, names: Sequence[str]) -> tuple[str, Architecture]:
        """One of the decisions answered otherwise; what that newly asks is as wished, or drawn."""
        name, picks = altered(self.space, architecture, names, self.rng)
        return name, self.space.complete({**self.wishes, **picks}, self.rng)

    def drift(self, architecture: Architecture, broken: float) -> tuple[Architecture, float]:
        """Change what is free until that comes nearer to the condition; what is as near is gone along with."""
        free = self.open(architecture, wished=False)
        answers = sum(self.space.decisions[name].ways() - 1 for name in free)
        for _ in range(PATIENCE * min(answers, 100)):
            _, made = self.changed(architecture, free)
            now = self.where.violation(made)
            if now < broken:
                return made, now
            if now == broken:
                architecture = made
                free = self.open(architecture, wished=False)
        return architecture, broken

    def give_up_a_wish(self, architecture: Architecture, broken: float) -> tuple[Architecture, float]:
        """The best of a few architectures with one wish less."""
        wished = self.open(architecture, wished=True)
        if not wished:
            return architecture, broken
        tried = [self.changed(architecture, wished) for _ in range(LOOKS)]
        name, best = min(tried, key=lambda one: self.where.violation(one[1]))
        nearest = self.where.violation(best)
        if nearest >= broken:
            return architecture, broken
        del self.wishes[name]
        return best, nearest

    def shuffled(self, architecture: Architecture) -> Architecture:
        """As many changes of what is free as there are decisions, each if the condition still holds after it."""
        for _ in self.open(architecture, wished=False):
            free = self.open(architecture, wished=False)
            if free:
                _, made = self.changed(architecture, free)
                if self.where(made):
                    architecture = made
        return architecture
