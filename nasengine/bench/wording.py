"""Numbers and names as a reader wants them: in the table on the terminal and on the page alike."""

from collections.abc import Mapping, Sequence
from math import floor, log10
from typing import Any

from nasengine.bench.significance import Pair

Row = Sequence[str]


def named(value: str) -> str:
    """A value's name in words."""
    return value.replace("_", " ")


def percent(share: float) -> str:
    """A share of one in percent."""
    return f"{100 * share:g} %"


def lines(rows: Sequence[dict[str, Any]], names: Mapping[str, str], seconds: Sequence[float]) -> list[Row]:
    """The table of a comparison: a line of titles, a line for each strategy, and one for uniform draws.

    `names` are the titles of what is shown of "value", "validation" and "test"; `seconds` what a run took, by strategy.
    """
    titles = [
        *("strategy", "seeds", *names.values(), "median rank", "regret", "at optimum"),
        *("queries to target", "duplicates", "seconds a run"),
    ]
    digits = {what: decimals([row[f"mean_{what}"] for row in rows]) for what in names}
    made = [_line(row, digits, took) for row, took in zip(rows, seconds, strict=True)]
    if rows:
        made.append(_uniform(rows[0], digits))
    return [titles, *made]


def _line(row: dict[str, Any], digits: dict[str, int], seconds: float) -> list[str]:
    return [
        row["strategy"],
        str(row["seeds"]),
        *(_with_error(row[f"mean_{what}"], row[f"se_{what}"], digits[what]) for what in digits),
        "" if row["median_rank"] is None else f"{row['median_rank']:g}",
        number(row["regret"], _first(digits)),
        "" if row["fraction_at_optimum"] is None else f"{row['fraction_at_optimum']:.2f}",
        _target(row),
        number(row["mean_duplicates"], 1),
        f"{seconds:.3g}",
    ]


def _uniform(row: dict[str, Any], digits: dict[str, int]) -> list[str]:
    expected = [number(row[f"uniform_mean_{what}"], digits[what]) for what in digits]
    regret, at_optimum = number(row["uniform_regret"], _first(digits)), row["uniform_fraction_at_optimum"]
    to_target = f"{row['uniform_mean_queries_to_target']:,.0f}"
    return ["uniform draws, exactly", "", *expected, "", regret, f"{at_optimum:.2f}", to_target, "", ""]


def _first(digits: dict[str, int]) -> int:
    """Regret is that of the first value which is shown."""
    return next(iter(digits.values()))


def _target(row: dict[str, Any]) -> str:
    """Mean queries to the target; or the share of runs that reached it, where some did not."""
    if row["mean_queries_to_target"] is not None:
        return f"{row['mean_queries_to_target']:,.1f}"
    return "" if row["reached_target"] is None else f"in {100 * row['reached_target']:.0f} % of runs"


def _with_error(mean: float | None, error: float | None, digits: int) -> str:
    text = number(mean, digits)
    return text if error is None or not text else f"{text} ± {error:.{digits}f}"


def number(value: float | None, digits: int) -> str:
    """A number with so many decimals; nothing for none."""
    return "" if value is None else f"{value:,.{digits}f}"


def decimals(values: Sequence[float | None]) -> int:
    """How many decimals show five digits of the largest value."""
    largest = max((abs(value) for value in values if value is not None), default=0.0)
    return 3 if largest == 0 else min(max(4 - floor(log10(largest)), 0), 6)


def verdicts(labels: Sequence[str], pairs: Sequence[Pair]) -> list[str]:
    """Which strategy beats which, a sentence for each strategy that beats one, and one for what is left open."""
    lines = []
    for label in labels:
        beaten = [pair for pair in pairs if pair.better == label and pair.significant]
        if beaten:
            words = ", ".join(f"{pair.worse} (by {pair.difference:.4g}, p {_chance(pair.p)})" for pair in beaten)
            lines.append(f"{label} beats {words}.")
    still = [pair for pair in pairs if not pair.significant]
    if still:
        words = ", ".join(f"{pair.better} and {pair.worse} (p = {pair.p:.2g})" for pair in still)
        lines.append(f"Not told apart by these seeds: {words}.")
    return lines


def _chance(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.2g}"
