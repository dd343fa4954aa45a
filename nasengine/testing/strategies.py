"""The contract of strategies that propose: legal, repeatable, to be resumed anywhere, and better than chance."""

import random
from collections.abc import Callable, Sequence
from statistics import mean
from typing import Any

from nasengine.layers import Identity, MaxPool
from nasengine.search.propose import draws_of
from nasengine.search.strategy import Strategy, Told
from nasengine.space import Architecture, Space, chain, choose, op, repeat
from nasengine.testing.report import Report

SEEDS = (0, 1, 2, 3, 4)
PREFIXES = (0, 1, 7, 19)


def table(decisions: int = 8, options: int = 5) -> Space:
    """A space to be scored by a formula: independent decisions, nothing to train."""
    answers: dict[str, Any] = {f"option{i}": op(Identity) for i in range(options)}
    return Space("table", (1, 8, 8), chain(**{f"step{i}": choose("op", **answers) for i in range(decisions)}))


def uneven() -> Space:
    """A space with what makes strategies stumble: depths, pairs to keep, and decisions asked under conditions."""
    pool = choose("pool", small=op(MaxPool, kernel=choose("kernel", 1, 3)), none=op(Identity))
    pair = choose("pair", keep=(1, 2), a=op(Identity), b=pool, c=op(MaxPool, kernel=3))
    return Space("uneven", (1, 8, 8), chain(blocks=repeat(pair, choose("depth", 1, 2, 3)), last=pool))


def agreement(space: Space, plant: Architecture) -> Callable[[Architecture], float]:
    """The share of a plant's answers that an architecture gives too: 1 for the plant alone."""
    return lambda one: sum(one.picks.get(name) == kept for name, kept in plant.picks.items()) / len(plant.picks)


def search(
    strategy: Strategy, score: Callable[[Architecture], float], asks: int, seed: int = 0, told: Sequence[Told] = ()
) -> list[Told]:
    """Ask and tell in turns; `told` is replayed first. Ends early where the strategy has no more to propose."""
    results = list(told)
    for one in results:
        strategy.tell(one)
    while len(results) < asks:
        number = len(results)
        architecture = strategy.ask(draws_of(seed, number))
        if architecture is None:
            break
        value = score(architecture)
        results.append(Told(number, architecture, {"validation_accuracy": value}, value))
        strategy.tell(results[-1])
    return results


def check_strategy(
    make: Callable[[Space], Strategy], *, asks: int = 100, beats_random: bool = True, seeds: Sequence[int] = SEEDS
) -> Report:
    """Check a strategy, made by `make(space)`: its class, or a function that also gives it options.

    `beats_random` compares the best of `asks` proposals, on a planted optimum and averaged over the seeds, with what
    random search finds.
    """
    report = Report(f"strategy {getattr(make, '__name__', make)}")
    for space in (table(), uneven()):
        score = agreement(space, space.sample(random.Random("plant")))
        with report.claim(f"proposes legal architectures ({space.name})"):
            _legal(space, search(make(space), score, 30))
        with report.claim(f"asking changes nothing ({space.name})"):
            _pure(make(space), search(make(space), score, 20))
        with report.claim(f"a replayed search goes on as if undisturbed ({space.name})"):
            _replays(make, space, score)
        with report.claim(f"goes on after failures ({space.name})"):
            _survives(make(space), space)
    if beats_random and report.ok:
        with report.claim("beats random search on a planted optimum"):
            _beats_random(make, asks, seeds)
    return report


def _legal(space: Space, results: Sequence[Told]) -> None:
    assert results, "it proposes nothing at all"
    for one in results:
        faults = space.faults(one.architecture.picks)
        assert not faults, f"proposal {one.number}: {'; '.join(faults)}"


def _pure(strategy: Strategy, results: Sequence[Told]) -> None:
    """The same random numbers get the same answer, whatever was asked in between."""
    for one in results:
        first = strategy.ask(draws_of(1, one.number))
        for other in range(3):
            strategy.ask(draws_of(2, other))
        again = strategy.ask(draws_of(1, one.number))
        assert first == again, f"asked twice after {one.number} results: {first} and {again}; only tell changes state"
        strategy.tell(one)


def _replays(make: Callable[[Space], Strategy], space: Space, score: Callable[[Architecture], float]) -> None:
    whole = search(make(space), score, max(PREFIXES) + 1)
    for prefix in PREFIXES:
        if prefix < len(whole):
            resumed = search(make(space), score, prefix + 1, told=whole[:prefix])
            wanted, given = whole[prefix].architecture, resumed[-1].architecture
            assert given == wanted, f"after {prefix} results it asks for {given}, undisturbed for {wanted}"


def _survives(strategy: Strategy, space: Space) -> None:
    for number in range(20):
        architecture = strategy.ask(draws_of(0, number))
        if architecture is None:
            assert number, "it proposes nothing at all"
            return
        faults = space.faults(architecture.picks)
        assert not faults, f"proposal {number}, after failures: {'; '.join(faults)}"
        value = None if number % 3 else 0.5
        strategy.tell(Told(number, architecture, {}, value, None if number % 3 == 0 else "out of memory"))


def _beats_random(make: Callable[[Space], Strategy], asks: int, seeds: Sequence[int]) -> None:
    space = table()
    own, chance = [], []
    for seed in seeds:
        score = agreement(space, space.sample(random.Random(f"plant {seed}")))
        own.append(max(one.value or 0.0 for one in search(make(space), score, asks, seed)))
        chance.append(max(score(space.sample(draws_of(seed, number))) for number in range(asks)))
    assert mean(own) > mean(chance), (
        f"best of {asks} proposals, mean over {len(seeds)} seeds: {mean(own):.3f}, random search {mean(chance):.3f}"
    )
