"""Writes the table of figures in docs/performance.md from results/bench.json; `python -m benchmarks.suite` does so too.

python -m benchmarks.page
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.suite_record import read

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BETWEEN = re.compile(r"(<!-- figures -->\n).*?(<!-- end of figures -->\n)", re.DOTALL)


def table(figures: Iterable[Mapping[str, Any]]) -> str:
    """The figures as a table of Markdown, or a sentence where there are none."""
    rows = [_row(figure) for figure in figures]
    if not rows:
        return "\nNothing has been measured yet.\n\n"
    return "\n".join(["", "| figure | measured | goal | | against |", "| --- | --- | --- | --- | --- |", *rows, "", ""])


def _row(figure: Mapping[str, Any]) -> str:
    unit, at_most, ratio, goal = figure.get("unit", "x"), figure.get("at_most"), figure["ratio"], figure["goal"]
    met = ratio <= goal if at_most else ratio >= goal
    cells = (
        figure["name"], f"{ratio:.3g} {unit}", f"at {'most' if at_most else 'least'} {goal:g} {unit}",
        "met" if met else "**missed**", figure["peer"],
    )  # fmt: skip
    return f"| {' | '.join(str(cell).replace('|', '/') for cell in cells)} |"


def renewed(text: str) -> str:
    """The page with the newest figures in it."""
    return BETWEEN.sub(lambda found: f"{found[1]}{table(read())}{found[2]}", text)


def main() -> None:
    """Renew the page."""
    PAGE.write_text(renewed(PAGE.read_text()))


if __name__ == "__main__":
    main()
