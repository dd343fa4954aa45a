"""Writes the table of figures in docs/performance.md from results/bench.json; `python -m benchmarks.suite` does so too.

python -m benchmarks.page
"""

import re
from collections.abc import Iterable
from pathlib import Path

from benchmarks.measure import Measured
from benchmarks.suite_record import read

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BETWEEN = re.compile(r"(<!-- figures -->\n).*?(<!-- end of figures -->\n)", re.DOTALL)


def table(figures: Iterable[Measured]) -> str:
    """The figures as a table of Markdown, or a sentence where there are none."""
    rows = [_row(figure) for figure in figures]
    if not rows:
        return "\nNothing has been measured yet.\n\n"
    return "\n".join(["", "| figure | measured | goal | | against |", "| --- | --- | --- | --- | --- |", *rows, "", ""])


def _row(one: Measured) -> str:
    verdict = ("met" if one.met else "**missed**") if one.steady else f"refused: spread {one.spread:.3g}"
    cells = (
        one.name, f"{one.ratio:.3g} {one.unit}" if one.steady else "",
        f"at {'most' if one.at_most else 'least'} {one.goal:g} {one.unit}", verdict, one.peer,
    )  # fmt: skip
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def renewed(text: str) -> str:
    """The page with the newest figures in it."""
    return BETWEEN.sub(lambda found: f"{found[1]}{table(read())}{found[2]}", text)


def main() -> None:
    """Renew the page."""
    PAGE.write_text(renewed(PAGE.read_text()))


if __name__ == "__main__":
    main()
