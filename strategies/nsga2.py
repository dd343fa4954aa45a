"""NSGA-II: a population spread along the front of several objectives, by tournament, crossover and mutation.

Deb, Pratap, Agarwal and Meyarivan, 2002, "A fast and elitist multiobjective genetic algorithm: NSGA-II"
(https://doi.org/10.1109/4235.996017). Parents are the winners of binary tournaments: the better front wins, on one
front the one with more room around it. Their child answers each decision as one of them did, and some differently.
After as many results as there are members, the best of members and children together are the next population: whole
fronts, and of the last one those with most room. What breaks a bound loses against what breaks it less, and against
everything that breaks none.

Departures: answers are crossed one by one (the paper crosses real numbers); nothing is proposed that was told before,
as long as something else is found; failed trainings never enter the population. With one objective fronts are ranks,
and the strategy is a genetic algorithm that keeps the best.
"""

import random

from nasengine.errors import NasError, SpaceError
from nasengine.search.strategy import Told
from nasengine.space import Architecture, Space
from nasengine.space.unseen import Unseen
from nasengine.strategies._nsga2_sorting import Measured, placed, ranked

TRIES = 30  # children, before any architecture that is new will do


class NSGA2:
    """A population of the best trade-offs, and the children told since it was chosen.

    population: members, and children between one choice and the next; the first of them are random
    crossover: how often a child has two parents rather than one
    mutation: how many decisions of a child are answered anew, on average
    """

    def __init__(self, space: Space, population: int = 20, crossover: float = 0.9, mutation: float = 1.0) -> None:
        faults = [] if population >= 2 else [f"population={population} (at least 2)"]
        faults += [] if 0 <= crossover <= 1 else [f"crossover={crossover} (from 0 to 1)"]
        faults += [] if mutation >= 0 else [f"mutation={mutation} (at least 0)"]
        if faults:
            raise NasError(f"strategy nsga2: came with {', '.join(faults)}; change them as the brackets say")
        self.space, self.population, self.crossover, self.mutation = space, population, crossover, mutation
        self.unseen = Unseen(space)
        self.members: list[Architecture] = []
        self.places: list[tuple[int, float]] = []  # front and crowding of each, smaller is better
        self.measured: dict[Architecture, Measured] = {}  # members and children
        self.children: list[Architecture] = []

    def ask(self, rng: random.Random) -> Architecture | None:
        """A new child; before the first population is told, a random architecture; None where nothing is left."""
        for _ in range(TRIES if self.members else 0):
            child = self._child(rng)
            if child in self.unseen:
                return child
        return self.unseen.draw(rng)

    def tell(self, result: Told) -> None:
        """Take a child in; with enough of them, choose who lives on."""
        architecture = result.architecture
        self.unseen.remove(architecture)
        objectives = result.objectives or (() if result.value is None else (result.value,))
        if not objectives or architecture in self.measured:
            return
        self.measured[architecture] = Measured(objectives, result.violation)
        self.children.append(architecture)
        if len(self.children) == self.population:
            self._choose()

    def _choose(self) -> None:
        everyone = self.members + self.children
        places = ranked([self.measured[one] for one in everyone])
        best = sorted(range(len(everyone)), key=lambda number: places[number])[: self.population]
        self.members, self.children = [everyone[number] for number in best], []
        self.measured = {one: self.measured[one] for one in self.members}
        kept = [places[number][0] for number in best]  # who stays in a front does not depend on who leaves
        on_fronts = [[n for n, front in enumerate(kept) if front == one] for one in range(max(kept) + 1)]
        self.places = placed([self.measured[one] for one in self.members], on_fronts)

    def _child(self, rng: random.Random) -> Architecture:
        child = self._parent(rng)
        if rng.random() < self.crossover:
            child = self.space.cross(child, self._parent(rng), rng)
        chance = min(1.0, self.mutation / len(self.space.decisions))
        changes = sum(rng.random() < chance for _ in self.space.decisions)
        try:
            for _ in range(changes):
                child = self.space.mutate(child, rng)
        except SpaceError:  # nothing in it can be changed
            return child
        return child

    def _parent(self, rng: random.Random) -> Architecture:
        one, other = rng.randrange(self.population), rng.randrange(self.population)
        return self.members[one if self.places[one] <= self.places[other] else other]
