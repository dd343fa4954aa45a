"""Local search: try the neighbours of an architecture, move to the first that is better, start again at the top.

White et al., 2020, "Local Search is State of the Art for Neural Architecture Search Benchmarks"
(https://arxiv.org/abs/2005.02960). A climb starts from the best of a few random architectures. A neighbour differs in
one decision; what that newly asks is drawn at random, once for each architecture, so that a neighbourhood is always the
same. Neighbours come in random order. Where all have been tried and none was better, another climb starts.

Departures: the first better neighbour is taken (the paper's plain version looks at all of them and takes the best), and
no architecture is proposed after it was told. With several workers, two may be asked for the same neighbour.
"""

import random
from collections.abc import Iterator

from nasengine.errors import NasError
from nasengine.search.strategy import Told
from nasengine.space import Architecture, Decision, Space
from nasengine.space.unseen import Unseen

MOST_ANSWERS = 256  # of a decision that can be answered in more ways, so many random ones make neighbours


class LocalSearch:
    """Climbs to the nearest top, again and again, and proposes nothing that it knows already.

    starts: random architectures before each climb, which starts from the best of them
    """

    def __init__(self, space: Space, starts: int = 10) -> None:
        if starts < 1:
            raise NasError(f"strategy local-search: starts={starts} came; give at least 1")
        self.space, self.starts = space, starts
        self.unseen = Unseen(space)
        self.started: list[tuple[float, Architecture]] = []  # the next climb's, as far as they are there
        self.height = 0.0  # the value of where the climb stands
        self.untried: dict[Architecture, None] = {}  # neighbours of that, in a fixed order; none at a top

    def ask(self, rng: random.Random) -> Architecture | None:
        """A neighbour; at a top, a random architecture; None where all of the space is known."""
        return rng.choice(list(self.untried)) if self.untried else self.unseen.draw(rng)

    def tell(self, result: Told) -> None:
        """Move where that is up; at a top, collect what the next climb may start from."""
        architecture = result.architecture
        known = architecture not in self.unseen
        self.unseen.remove(architecture)
        climbing = bool(self.untried)
        self.untried.pop(architecture, None)
        if known or result.value is None:
            return
        if climbing:
            if result.value > self.height:
                self._move(result.value, architecture)
            return
        self.started.append((result.value, architecture))
        if len(self.started) >= self.starts:
            self._move(*max(self.started, key=lambda start: start[0]))
            self.started = []

    def _move(self, value: float, place: Architecture) -> None:
        self.height = value
        self.untried = {one: None for one in self._neighbours(place) if one in self.unseen}

    def _neighbours(self, place: Architecture) -> Iterator[Architecture]:
        """One legal architecture for each other answer to each of its decisions."""
        rng = random.Random(repr(sorted(place.picks.items())))
        for name, kept in place.picks.items():
            for answer in _answers(self.space.decisions[name], rng):
                if answer != kept:
                    made = self._complete({**place.picks, name: answer}, rng)
                    if self.space.where is None or self.space.where(made):
                        yield made

    def _complete(self, wishes: dict[str, tuple[str, ...]], rng: random.Random) -> Architecture:
        """Drop what is no longer asked, draw what newly is. (`follow` would give up answers to meet a `where`.)"""
        picks: dict[str, tuple[str, ...]] = {}
        for name, decision in self.space.decisions.items():
            if decision.active(picks):
                picks[name] = decision.draw(rng, wishes.get(name))
        return Architecture(picks)


def _answers(decision: Decision, rng: random.Random) -> Iterator[tuple[str, ...]]:
    if decision.ways() <= MOST_ANSWERS:
        return decision.picks()
    return iter(dict.fromkeys(decision.draw(rng) for _ in range(MOST_ANSWERS)))
