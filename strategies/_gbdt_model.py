"""The model of GBDT-NAS: gradient-boosted trees on normal scores."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy
from numpy.typing import NDArray

RATE = 0.3
DEPTH = 4
SETTINGS = {"tree_method": "hist", "nthread": 1, "eta": RATE, "verbosity": 0}

Numbers = NDArray[Any]


def normal_scores(values: Sequence[float | None]) -> Numbers:
    """Values as quantiles of the normal distribution at their ranks; ties share one, failures are the worst."""
    from scipy.special import ndtri
    from scipy.stats import rankdata

    ranks = rankdata([-numpy.inf if value is None else value for value in values])
    return numpy.asarray(ndtri((ranks - 0.5) / len(ranks)))


def rank_agreement(expected: Numbers, found: Numbers) -> float:
    """Kendall's tau-b; 0 where one side is all the same."""
    from scipy.stats import kendalltau

    tau = kendalltau(expected, found).statistic
    return 0.0 if numpy.isnan(tau) else float(tau)


@dataclass(frozen=True)
class Trees:
    """A fitted model; what it is given are codes (architectures, columns)."""

    booster: Any

    def expected(self, codes: Numbers) -> Numbers:
        """The score of each."""
        return numpy.asarray(self.booster.inplace_predict(codes))

    def contributions(self, codes: Numbers) -> Numbers:
        """What each column adds to each score, (architectures, columns): SHAP values."""
        return self._explained(codes, pred_contribs=True)[:, :-1]

    def interactions(self, codes: Numbers) -> Numbers:
        """What each pair of columns adds to each score, (architectures, columns, columns)."""
        return self._explained(codes, pred_interactions=True)[:, :-1, :-1]

    def used(self, most: int) -> list[int]:
        """The columns that the trees gain most by, in order of number."""
        gains = {int(name[1:]): gain for name, gain in self.booster.get_score(importance_type="total_gain").items()}
        return sorted(sorted(gains, key=lambda column: -gains[column])[:most])

    def _explained(self, codes: Numbers, **how: bool) -> Numbers:
        from xgboost import DMatrix

        return numpy.asarray(self.booster.predict(DMatrix(codes.astype(numpy.float32), nthread=1), **how))


def fitted(codes: Numbers, targets: Numbers, trees: int, depth: int = DEPTH) -> Trees:
    """A model of this many trees, each at most this many splits deep."""
    from xgboost import DMatrix, train  # slow to import

    data = DMatrix(codes.astype(numpy.float32), targets, nthread=1)
    return Trees(train({**SETTINGS, "max_depth": depth}, data, trees))
