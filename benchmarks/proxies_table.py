"""The table of rank correlations that `benchmarks.proxies_nasbench201` prints, from its rows."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau, rankdata, spearmanr

Column = NDArray[np.float64]
RESAMPLES = 500
BASELINES = {"params": "parameters", "macs": "MACs", "live_macs": "MACs on live paths"}
COMPONENTS = ("expressivity", "progressivity", "trainability", "macs")
PUBLISHED = {
    "synflow": "0.74 (a)", "snip": "0.58 (a)", "grad-norm": "0.58 (a)", "grasp": "0.48 (a)", "fisher": "0.36 (a)",
    "jacob-cov": "0.73 (a)", "az-nas": "0.913, tau 0.741 (b)",
}  # fmt: skip
NOTES = (
    "Published: Spearman with CIFAR-10 test accuracy; (a) Abdelfattah et al., 2021, from memory; "
    "(b) Lee and Ham, 2024, all 15,625 cells."
)


def table_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """Markdown: tau and rho with validation and test accuracy for every score and the free baselines."""
    validation, test = (_column(rows, name) for name in ("validation_accuracy", "test_accuracy"))
    lines = [
        f"{len(rows)} cells, {sum(row['score_seconds'] for row in rows) / 60:.0f} minutes of scoring.",
        "",
        "| score | tau validation (95 %) | rho validation | tau test | rho test | published rho |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    columns = {BASELINES.get(name, name): _column(rows, name) for name in _names(rows)}
    columns["az-nas"] = sum(np.log(rankdata(_column(rows, name)) / len(rows)) for name in COMPONENTS)
    for name, column in sorted(columns.items(), key=lambda pair: -_tau(pair[1], validation)):
        low, high = _interval(column, validation)
        lines.append(
            f"| {name} | {_tau(column, validation):.3f} ({low:.3f} to {high:.3f}) | {_rho(column, validation):.3f} | "
            f"{_tau(column, test):.3f} | {_rho(column, test):.3f} | {PUBLISHED.get(name, '')} |"
        )
    return "\n".join([*lines, "", NOTES])


def _names(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    known = {"cell", "seed", "seconds", "score_seconds", "validation_accuracy", "test_accuracy"}
    return [name for name in rows[0] if name not in known]


def _column(rows: Sequence[Mapping[str, Any]], name: str) -> Column:
    """One value a row; not-a-number counts as lowest."""
    return np.array([-math.inf if math.isnan(row[name]) else row[name] for row in rows])


def _tau(a: Column, b: Column) -> float:
    return float(kendalltau(rankdata(a), b).statistic)


def _rho(a: Column, b: Column) -> float:
    return float(spearmanr(rankdata(a), b).statistic)


def _interval(a: Column, b: Column) -> tuple[float, float]:
    """The middle 95 % of tau over cells drawn with replacement."""
    rng = np.random.default_rng(0)
    found = [_tau(a[some], b[some]) for some in rng.integers(0, len(a), (RESAMPLES, len(a)))]
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)
