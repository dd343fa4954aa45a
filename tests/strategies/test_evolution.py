"""Regularised evolution against its published rule and the toy problem of its authors."""

import random
import time
from statistics import mean

import pytest

from nasengine.errors import NasError
from nasengine.layers import Identity
from nasengine.search.propose import draws_of
from nasengine.search.strategy import Told
from nasengine.space import Architecture, Space, chain, choose, op
from nasengine.strategies.evolution import Evolution

BITS = Space(
    "bits",
    (1, 8, 8),
    chain(**{f"bit{i}": choose("value", zero=op(Identity), one=op(Identity)) for i in range(100)}),
)
NAMES = list(BITS.decisions)


def bits(ones: int) -> Architecture:
    return Architecture({name: ("one" if i < ones else "zero",) for i, name in enumerate(NAMES)})


def told(number: int, architecture: Architecture, value: float | None) -> Told:
    return Told(number, architecture, {}, value, None if value is not None else "out of memory")


def share_of_ones(architecture: Architecture) -> float:
    return sum(kept == ("one",) for kept in architecture.picks.values()) / 100


def toy(seed: int, cycles: int = 1000, **options: object) -> tuple[float, float, float]:
    """Best noisy fitness of the history, its true fitness, and the mean noisy fitness of the last hundred."""
    strategy, noise, rng = Evolution(BITS, **options), random.Random(f"noise {seed}"), random.Random(seed)
    history = []
    for number in range(cycles):
        architecture = strategy.ask(rng)
        true = share_of_ones(architecture)
        noisy = min(max(true + noise.gauss(0, 0.01), 0.0), 1.0)
        history.append((noisy, true))
        strategy.tell(told(number, architecture, noisy))
    best = max(history)
    return best[0], best[1], mean(noisy for noisy, _ in history[-100:])


@pytest.mark.parametrize(
    "options, noisy, true, late, deviation",
    [
        ({"population": 100, "sample": 10}, 0.907, 0.891, 0.866, 0.021),
        ({"population": 64, "sample": 16}, 0.961, 0.943, 0.924, 0.016),
        ({"population": 100, "sample": 2}, 0.733, 0.719, 0.682, 0.024),
        ({"population": 100, "sample": 10, "aging": False}, 0.906, None, None, 0.023),
        ({"population": 64, "sample": 16, "aging": False}, 0.960, None, None, 0.018),
        ({"population": 100, "sample": 2, "aging": False}, 0.755, None, None, 0.020),
    ],
)
def test_the_toy_problem_of_the_paper(options, noisy, true, late, deviation):
    """Real et al. (2019): 100 bits, noise of deviation 0.01, 1,000 cycles; the figures are means over 100 seeds."""
    seeds = 16
    found = list(zip(*(toy(seed, **options) for seed in range(seeds)), strict=True))
    margin = 4 * deviation * (1 / seeds + 1 / 100) ** 0.5
    assert mean(found[0]) == pytest.approx(noisy, abs=margin)
    if true is not None:
        assert mean(found[1]) == pytest.approx(true, abs=margin)
        assert mean(found[2]) == pytest.approx(late, abs=margin)


def test_the_oldest_dies_however_good_it_is():
    strategy = Evolution(BITS, population=3, sample=1)
    for number, ones in enumerate((90, 10, 20, 30, 40)):
        strategy.tell(told(number, bits(ones), ones / 100))
    assert sorted(value for value, _ in strategy.living) == [0.2, 0.3, 0.4]


def test_without_aging_the_worst_dies_though_it_has_just_come():
    strategy = Evolution(BITS, population=3, sample=1, aging=False)
    for number, ones in enumerate((90, 10, 20, 30, 5)):
        strategy.tell(told(number, bits(ones), ones / 100))
    assert sorted(value for value, _ in strategy.living) == [0.2, 0.3, 0.9]


class _Drawn(random.Random):
    """Random numbers whose tournaments are given."""

    def choices(self, population, *args, k=1, **options):
        return [population[place] for place in (2, 0, 1)]


def test_of_equals_the_first_drawn_has_the_child():
    strategy = Evolution(BITS, population=3, sample=3)
    for number, ones in enumerate((0, 50, 100)):
        strategy.tell(told(number, bits(ones), 0.5))
    assert share_of_ones(strategy.ask(_Drawn(0))) == 0.99, "the child of the third, which was drawn first"


def test_a_tournament_draws_with_replacement():
    """Of two members, a tournament of two misses the better one in a quarter of the draws."""
    strategy = Evolution(BITS, population=2, sample=2)
    strategy.tell(told(0, bits(0), 0.1))
    strategy.tell(told(1, bits(100), 0.9))
    children = [share_of_ones(strategy.ask(draws_of(0, number))) for number in range(2000)]
    assert 0.21 < mean(child < 0.5 for child in children) < 0.29


def test_a_child_differs_in_one_decision():
    strategy = Evolution(BITS, population=1, sample=1)
    strategy.tell(told(0, bits(30), 0.3))
    for number in range(50):
        child = strategy.ask(draws_of(0, number))
        assert sum(child.picks[name] != kept for name, kept in bits(30).picks.items()) == 1


def test_failed_trainings_never_become_parents():
    strategy = Evolution(BITS, population=2, sample=5)
    strategy.tell(told(0, bits(100), None))
    strategy.tell(told(1, bits(0), 0.2))
    strategy.tell(told(2, bits(99), None))
    assert len(strategy.living) == 1
    strategy.tell(told(3, bits(1), 0.1))
    assert all(share_of_ones(strategy.ask(draws_of(0, number))) <= 0.02 for number in range(50))


def test_several_proposals_may_be_open():
    """With four open ones the rule is applied to what was told: it still climbs."""
    strategy, waiting, best = Evolution(BITS, population=20, sample=5), [], 0.0
    for number in range(600):
        waiting.append(told(number, (one := strategy.ask(draws_of(3, number))), share_of_ones(one)))
        if len(waiting) == 4:
            result = waiting.pop(number % 4)
            best = max(best, result.value)
            strategy.tell(result)
    assert best > 0.8


def test_impossible_options_are_refused():
    with pytest.raises(NasError, match="population=0, sample=10 came; each is at least 1"):
        Evolution(BITS, population=0)


def test_the_ten_thousandth_ask_costs_what_the_hundredth_did():
    strategy, rng = Evolution(BITS, population=100, sample=10), random.Random(0)
    for number in range(100):
        strategy.tell(told(number, strategy.ask(rng), rng.random()))
    early = _seconds(strategy)
    for number in range(100, 10_000):
        strategy.tell(told(number, strategy.ask(rng), rng.random()))
    assert _seconds(strategy) < 1.5 * early


def _seconds(strategy: Evolution) -> float:
    """The shortest of several rounds, so that what else the machine does is left out."""
    rounds = []
    for _ in range(20):
        rng = random.Random(0)
        began = time.perf_counter()
        for _ in range(100):
            strategy.ask(rng)
        rounds.append(time.perf_counter() - began)
    return min(rounds)
