"""The exact expectation of uniform draws, against counting and the published table."""

from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from nasengine.bench.contest import Entry
from nasengine.bench.uniform import Uniform


def test_the_expectation_is_that_of_all_draws_with_ties() -> None:
    scores, column = np.array([1.0, 3.0, 2.0, 3.0]), np.array([10.0, 20.0, 30.0, 60.0])
    totals = []
    for draw in product(range(4), repeat=3):
        best = max(scores[row] for row in draw)
        first = next(row for row in draw if scores[row] == best)
        totals.append(column[first])
    uniform = Uniform(scores)
    assert uniform.expected(column, 3) == pytest.approx(np.mean(totals))
    assert uniform.chance_of_best(3) == pytest.approx(1 - 0.5**3)
    assert uniform.expected(scores, 1) == pytest.approx(scores.mean())


@pytest.mark.parametrize(
    ("dataset", "queries", "expected"),
    [("cifar10", 50, 90.800), ("cifar10", 100, 91.030), ("cifar10", 300, 91.262),
     ("cifar100", 100, 71.438), ("imagenet16", 100, 45.359)],
)  # fmt: skip
def test_random_search_on_nasbench201(
    needs: Callable[[str], Path], dataset: str, queries: int, expected: float
) -> None:
    """Sum over the sorted accuracies a of a_i ((i/n)^N - ((i-1)/n)^N), for N draws from the n = 15,625 cells."""
    needs("tables")
    made = Entry("nasbench201", dataset).contest()
    assert Uniform(made.scores).expected(made.scores, queries) == pytest.approx(expected, abs=6e-4)
