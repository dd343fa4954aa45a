"""What uniform draws of a table's rows, with replacement, would find: exactly, not by trying.

After N draws from n rows the best has the i-th smallest score with probability (i/n)**N - ((i-1)/n)**N; of rows with
equal scores each is as likely.
"""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Uniform:
    """Uniform draws of rows with these scores."""

    def __init__(self, scores: "NDArray[np.float64]"):
        _, self._group, counts = np.unique(scores, return_inverse=True, return_counts=True)
        self._counts, self._upto = counts, np.cumsum(counts) / len(scores)

    def expected(self, column: "NDArray[np.float64]", queries: int) -> float:
        """The expected entry of a column for the best of so many draws."""
        means = np.bincount(self._group, column) / self._counts
        return float(self._chances(queries) @ means)

    def chance_of_best(self, queries: int) -> float:
        """The probability that one of so many draws has the best score of all."""
        return float(self._chances(queries)[-1])

    def _chances(self, queries: int) -> "NDArray[np.float64]":
        """The probability of each different score, in ascending order, to be the best of so many draws."""
        return np.diff(self._upto**queries, prepend=0.0)
