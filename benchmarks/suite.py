"""All figures of speed: every benchmark of this folder that has `measurements`, one after the other.

    python -m benchmarks.suite [supernet_step adan_step] [--rounds 7] [--json] [--to results]

Each runs in a fresh process with one thread, on one core; those of workers use every core. Most figures are ratios to
a peer; some have none, and are medians of our own with a budget. A figure whose rounds spread by more than 1.5 is
measured again, up to three times, and then refused. The figures go to bench.json and, with date and commit and without
the refused ones, to bench_history.jsonl; `python -m benchmarks.trend` draws those. docs/performance.md gets the newest.
Ctrl-C keeps what was measured until then.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks import page
from benchmarks.measure import HEADINGS, STEADY, Measured, cells
from benchmarks.suite_part import PartFailed, figures_of
from benchmarks.suite_record import RESULTS, keep

REPEATS = 3
HAS_MEASUREMENTS = re.compile(r"^def measurements\(", re.MULTILINE)
Run = Callable[[], Generator[Measured, None, None]]


@dataclass
class Outcome:
    """What became of one benchmark: its figures by name, and the error that ended it, if any."""

    figures: dict[str, Measured] = field(default_factory=dict)
    error: str = ""

    @property
    def refused(self) -> set[str]:
        """Names of the figures whose rounds do not agree."""
        return {name for name, figure in self.figures.items() if not figure.steady}


def modules(folder: Path) -> list[str]:
    """The names of the files in a folder that have a function `measurements`."""
    return sorted(path.stem for path in folder.glob("*.py") if HAS_MEASUREMENTS.search(path.read_text()))


def measure(run: Run, outcome: Outcome, heard: Callable[[Measured], None] = lambda figure: None) -> None:
    """Take every figure of a benchmark, then again those whose rounds do not agree; the outcome grows meanwhile."""
    try:
        _take(run, outcome, heard)
        for _ in range(REPEATS):
            if wanted := outcome.refused:
                _take(run, outcome, heard, wanted)
    except PartFailed as error:
        outcome.error = str(error)


def _take(run: Run, outcome: Outcome, heard: Callable[[Measured], None], wanted: set[str] | None = None) -> None:
    """Run a benchmark to its end, or until the last of the wanted figures has come."""
    missing = None if wanted is None else set(wanted)
    with closing(run()) as figures:
        for figure in figures:
            if missing is None or figure.name in missing:
                heard(figure)
                outcome.figures[figure.name] = figure
            if missing is not None:
                missing.discard(figure.name)
                if not missing:
                    return


def measure_all(names: list[str], rounds: int | None, package: str, outcomes: dict[str, Outcome]) -> bool:
    """Fill the outcomes, with a progress bar on standard error; False where Ctrl-C ended it."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=len(names))

        def heard(name: str, figure: Measured) -> None:
            for other, before in outcomes.items():
                if other != name and figure.name in before.figures:  # one would stand for both in bench.json
                    raise PartFailed(f'"{figure.name}" came, which is a figure of {other} already; rename one of them')
            bar.print("  ".join(cells(figure)[:5]))

        try:
            for name in names:
                bar.update(task, description=name)
                outcome = outcomes[name] = Outcome()
                measure(partial(figures_of, f"{package}.{name}", rounds), outcome, partial(heard, name))
                bar.advance(task)
        except KeyboardInterrupt:
            return False
    return True


def table(outcomes: dict[str, Outcome]) -> Table:
    """All figures, and a line for each benchmark that failed."""
    made = Table(*HEADINGS)
    for name, outcome in outcomes.items():
        made.add_section()
        for figure in outcome.figures.values():
            made.add_row(*cells(figure))
        if outcome.error:
            made.add_row(name, "", "", "", "[red]failed[/]", outcome.error)
    return made


def main(words: list[str] | None = None, folder: Path = Path(__file__).parent) -> int:
    """Measure, print and keep; 1 where a benchmark failed, 130 after Ctrl-C, else 0, goals met or not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = modules(folder)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}; all without a name")
    parser.add_argument("--rounds", type=int, help="of each comparison; as each benchmark has it without this")
    parser.add_argument("--json", action="store_true", help="print what bench.json gets instead of the table")
    parser.add_argument("--to", type=Path, default=RESULTS, help="the folder of bench.json and bench_history.jsonl")
    asked = parser.parse_args(words)
    if unknown := set(asked.names) - set(known):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    outcomes: dict[str, Outcome] = {}
    ended = measure_all(asked.names or known, asked.rounds, folder.name, outcomes)
    figures = {name: list(outcome.figures.values()) for name, outcome in outcomes.items()}
    failed = any(outcome.error for outcome in outcomes.values())
    keep(figures, asked.to, whole=ended and not failed and not asked.names)
    if asked.to == RESULTS:
        page.main()
    if asked.json:
        print(json.dumps([one.to_json() for all_of in figures.values() for one in all_of], indent=2))
    else:
        Console().print(table(outcomes))
    for name in sorted(name for outcome in outcomes.values() for name in outcome.refused):
        print(f"refused: {name}: its rounds spread by more than {STEADY} each time", file=sys.stderr)
    return 130 if not ended else int(failed)


if __name__ == "__main__":
    sys.exit(main())
