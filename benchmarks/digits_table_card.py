"""The card of the table "digits": what it is, how it was made, what its figures are worth, what it is not for."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from benchmarks.digits_table_figures import (
    Columns,
    even_and_odd,
    final_correct,
    halvings,
    learned,
    resampled,
    tau,
    top_half,
)

_TOLD = ("epochs", "batch", "optimizer", "lr", "momentum", "weight_decay", "schedule", "clip", "precision")
_TEXT = Path(__file__).with_suffix(".md")


def _agreement(columns: Columns) -> str:
    even, odd = even_and_odd(columns)
    lines = ["| networks | even against odd seeds | 95 % over networks | random halves, mean | 95 % of 200 halvings |"]
    lines.append("| --- | --- | --- | --- | --- |")
    everything = np.ones(len(even), bool)
    for name, rows in (("all", everything), ("better half", top_half(columns)), ("above 15 %", learned(columns))):
        low, high = resampled(even[rows], odd[rows])
        mean, least, most = halvings(columns, rows)
        split = f"{tau(even[rows], odd[rows]):.3f} | {low:.3f} to {high:.3f}"
        lines.append(f"| {name} ({rows.sum():,}) | {split} | {mean:.3f} | {least:.3f} to {most:.3f} |")
    return "\n".join(lines)


def _accuracies(columns: Columns) -> str:
    lines = ["| percent | validation | test |", "| --- | --- | --- |"]
    both = [columns[f"{which}_accuracy"] for which in ("validation", "test")]
    rows: dict[str, Callable[[Any], float]] = {
        "best": np.max,
        "mean": np.mean,
        "standard deviation": np.std,
        "median": np.median,
        "upper quartile": lambda found: np.quantile(found, 0.75),
        "worst": np.min,
    }
    lines += [f"| {name} | {of(both[0]):.2f} | {of(both[1]):.2f} |" for name, of in rows.items()]
    return "\n".join(lines)


def _ranks(columns: Columns) -> str:
    validation, test, top = columns["validation_accuracy"], columns["test_accuracy"], top_half(columns)
    low, high = resampled(validation, test)
    lines = [
        f"- Validation and test: Kendall's tau {tau(validation, test):.3f} ({low:.3f} to {high:.3f}), in the better "
        f"half {tau(validation[top], test[top]):.3f}; Spearman's rho {spearmanr(validation, test).statistic:.3f}."
    ]
    for name in ("params", "macs", "latency_ms"):
        column = columns[name]
        inside = tau(validation[top], column[top])
        lines.append(
            f"- Validation and {name} alone: tau {tau(validation, column):.3f}, in the better half {inside:.3f}."
        )
    early = ", ".join(f"{tau(columns['learning_curve'][:, epoch], validation):.3f}" for epoch in range(4))
    return "\n".join([*lines, f"- Validation after 1, 2, 3 and 4 epochs, and after all 5: tau {early}."])


def _optimum(columns: Columns) -> str:
    validation, test = columns["validation_accuracy"], columns["test_accuracy"]
    best, second = np.argsort(-validation)[:2]
    correct, images = final_correct(columns)[best], json.loads(str(columns["about"]))["images"]["validation"]
    error = 100 * correct.std(ddof=1) / len(correct) ** 0.5 / images
    return (
        f"The best on validation is row {best}, `{columns['architecture'][best]}`:\n{validation[best]:.3f} (standard "
        f"error {error:.2f}) on validation, {test[best]:.3f} on test. The second has {validation[second]:.3f}; the "
        f"best test accuracy of any row is {test.max():.3f}."
    )


def _equals(columns: Columns) -> str:
    """How far rows of one and the same network lie apart, which is noise."""
    first = columns["equal_to"]
    groups = [columns["validation_accuracy"][first == one] for one in np.unique(first)]
    several = [group for group in groups if len(group) > 1 and group.mean() > 15]
    inside = np.sqrt(np.mean([group.var(ddof=1) for group in several]))
    return (
        f"{len(groups)} of the {len(first):,} networks differ; `equal_to` holds the first row of the same digest. Each "
        f"row was trained\nfor itself: rows of one network that learns differ by a standard deviation of {inside:.2f} "
        f"points, which is noise.\n{(~learned(columns)).sum()} rows stay at 15 % or below, as they have no path from "
        "input to output, or hardly one."
    )


def _cost(columns: Columns) -> str:
    spans = [
        f"{name} {columns[name].min():{form}} to {columns[name].max():{form}}"
        for name, form in (("params", ",d"), ("macs", ",d"), ("latency_ms", ".3f"))
    ]
    seconds = 5 * columns["seconds_per_epoch"].mean()
    return f"{', '.join(spans)}; {seconds:.2f} seconds of one core\nfor a mean training."


def card(columns: Columns) -> str:
    """The card as Markdown; the same arrays give the same text."""
    about = json.loads(str(columns["about"]))
    images, data, seeds = about["images"], about["data"], len(about["seeds"])
    return _TEXT.read_text(encoding="utf-8").format(
        rows=len(columns["params"]), largest=columns["params"].max(),
        seeds=seeds, half=seeds // 2, trainings=columns["test_correct"].size,
        channels=about["settings"]["channels"], total=sum(images.values()), **images,
        share=data["validation"], tested=data["test"],
        recipe=", ".join(f"{name} {about['recipe'][name]}" for name in _TOLD),
        versions=", ".join(f"{name} {number}" for name, number in about["versions"].items()),
        **{name: about[name] for name in ("latency", "date", "processor", "instructions", "python")},
        agreement=_agreement(columns), accuracies=_accuracies(columns), ranks=_ranks(columns),
        optimum=_optimum(columns), equals=_equals(columns), cost=_cost(columns),
    )  # fmt: skip
