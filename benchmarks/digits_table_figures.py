"""What the table "digits" is worth, in figures: how well seeds agree, and how ranks go together."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau

HALVINGS, RESAMPLES = 200, 500
Columns = Mapping[str, NDArray[Any]]


def top_half(columns: Columns) -> NDArray[np.bool_]:
    """The rows whose mean validation accuracy is at least the median."""
    found: NDArray[np.bool_] = columns["validation_accuracy"] >= np.median(columns["validation_accuracy"])
    return found


def tau(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Kendall's tau-b."""
    return float(kendalltau(a, b).statistic)


def final_correct(columns: Columns) -> NDArray[np.float64]:
    """Validation images read correctly after the last epoch: (rows, seeds)."""
    return columns["validation_correct"][:, :, -1].astype(np.float64)


def even_and_odd(columns: Columns) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Every row's mean over half of the seeds, and over the other half."""
    correct = final_correct(columns)
    return correct[:, ::2].mean(axis=1), correct[:, 1::2].mean(axis=1)


def halvings(columns: Columns, rows: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Kendall's tau between two random halves of the seeds: mean, and what 95 % of the halvings lie between."""
    correct, rng = final_correct(columns)[rows], np.random.default_rng(0)
    seeds, found = correct.shape[1], []
    for _ in range(HALVINGS):
        order = rng.permutation(seeds)
        halves = order[: seeds // 2], order[seeds // 2 : seeds // 2 * 2]
        found.append(tau(*(correct[:, half].mean(axis=1) for half in halves)))
    return float(np.mean(found)), *_between(found)


def resampled(a: NDArray[Any], b: NDArray[Any]) -> tuple[float, float]:
    """The 95 % interval of Kendall's tau over networks, by the bootstrap."""
    rng = np.random.default_rng(0)
    drawn = [rng.integers(len(a), size=len(a)) for _ in range(RESAMPLES)]
    return _between([tau(a[rows], b[rows]) for rows in drawn])


def _between(found: list[float]) -> tuple[float, float]:
    low, high = np.quantile(found, (0.025, 0.975))
    return float(low), float(high)


def learned(columns: Columns) -> NDArray[np.bool_]:
    """The rows above 15 %: those that a path from input to output lets learn."""
    found: NDArray[np.bool_] = columns["validation_accuracy"] > 15
    return found
