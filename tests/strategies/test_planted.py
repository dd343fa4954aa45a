"""A search that sees: on a task that one network alone can solve, strategies that learn find it, chance does not."""

import pytest

from benchmarks.planted import PLANT, hits, searches

LEARNING = ("pr-darts code", "pr-darts paper", "darts")


@pytest.mark.parametrize("name", LEARNING)
def test_gates_settle_on_the_plant(name):
    search = searches(epochs=8 if name == "darts" else 25)[name]
    assert search(0) == PLANT


def test_chance_alone_does_not_find_it():
    assert hits(searches(epochs=10)["random-search"], seeds=1)[0] == 0


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", [*LEARNING, "random-search"])
def test_ten_seeds(name):
    found, _ = hits(searches(epochs=60)[name], seeds=10)
    assert found < 2 if name == "random-search" else found >= 9
