"""The contract of strategies finds what is wrong with one."""

import random

import pytest

from nasengine.search.strategy import Told
from nasengine.space import Architecture, Space
from nasengine.strategies.random_search import RandomSearch
from nasengine.testing.strategies import agreement, check_strategy, search, table


class Climber:
    """Changes one decision of the best so far."""

    def __init__(self, space: Space):
        self.space = space
        self.best: Told | None = None

    def ask(self, rng: random.Random) -> Architecture | None:
        return self.space.mutate(self.best.architecture, rng) if self.best else self.space.sample(rng)

    def tell(self, result: Told) -> None:
        if result.value is not None and (self.best is None or result.value > (self.best.value or 0.0)):
            self.best = result


class Counting(Climber):
    """Its answers depend on how often it was asked."""

    asked = 0

    def ask(self, rng: random.Random) -> Architecture:
        self.asked += 1
        return self.space.sample(random.Random(self.asked))


class Illegal(Climber):
    def ask(self, rng: random.Random) -> Architecture:
        picks = dict(self.space.sample(rng).picks)
        return Architecture({**picks, next(iter(picks)): ("nothing",)})


class Fragile(Climber):
    def tell(self, result: Told) -> None:
        super().tell(result)
        if result.value is None:
            raise ValueError("no value")


class Silent(Climber):
    def ask(self, rng: random.Random) -> None:
        return None


def test_a_strategy_that_learns_passes() -> None:
    check_strategy(Climber).require()


def test_random_search_passes_but_does_not_beat_itself() -> None:
    check_strategy(RandomSearch, beats_random=False).require()
    told = [check.name for check in check_strategy(RandomSearch).faults]
    assert told == ["beats random search on a planted optimum"]


@pytest.mark.parametrize(
    ("made", "claim", "words"),
    [
        (Counting, "asking changes nothing (table)", "only tell changes state"),
        (Counting, "a replayed search goes on as if undisturbed (uneven)", "after 1 results it asks for"),
        (Illegal, "proposes legal architectures (table)", "'nothing' is no option"),
        (Fragile, "goes on after failures (uneven)", "ValueError: no value (in tell, test_strategies.py"),
        (Silent, "proposes legal architectures (table)", "it proposes nothing at all"),
    ],
)
def test_what_is_wrong_is_found(made: type, claim: str, words: str) -> None:
    told = {check.name: check.fault for check in check_strategy(made).faults}
    assert words in told[claim]


def test_the_plant_alone_scores_one() -> None:
    space = table()
    plant = space.sample(random.Random(0))
    score = agreement(space, plant)
    assert score(plant) == 1.0
    assert score(space.mutate(plant, random.Random(1))) == 7 / 8


def test_a_search_ends_where_the_ideas_do() -> None:
    space = table()
    assert search(Silent(space), agreement(space, space.sample(random.Random(0))), 5) == []
