"""What a comparison says: its progress, its table on the terminal or as JSON, its page and pictures in a folder."""

import importlib.util
import json as text_of
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from nasengine.bench.comparison import Comparison
from nasengine.bench.wording import named, verdicts
from nasengine.console.bench_flags import BenchFlags
from nasengine.console.output import duration, emit, err, note, say, table
from nasengine.job import plain

LINES = 10  # of progress, where there is no terminal


def show(comparison: Comparison, flags: BenchFlags, json: bool) -> None:
    """The figures on standard output: as JSON, or as a table with what can be said of it."""
    if json:
        emit(comparison.rows)
        return
    titles, *rows = comparison.table
    say(f"{summary(comparison, flags)}\n")
    table(titles, rows, right=titles[1:])
    labels = [one.label for one in comparison.standings]
    found = verdicts(labels, comparison.pairs)
    say("\n" + "\n".join([*found, "" if found else "", *comparison.remarks()]).strip("\n"))


def summary(comparison: Comparison, flags: BenchFlags) -> str:
    """What was compared, in a sentence."""
    contest = comparison.contest
    held = f" ({contest.table.dataset})" if contest.table.dataset else ""
    reported = "" if contest.report is None else f"; {named(contest.report)} is reported"
    return (
        f"{contest.table.name}{held}, {len(contest.table):,} rows: {flags.seeds} seeds from {flags.first_seed} on, "
        f"{flags.budget:,} queries each, selected by {_objectives(comparison)}{reported}."
    )


def _objectives(comparison: Comparison) -> str:
    """What is selected by; that a value is to be large goes without saying."""
    return ", ".join(str(one).removeprefix("max:").replace("_", " ") for one in comparison.contest.goal.objectives)


def write(
    comparison: Comparison, flags: BenchFlags, name: str, line: str, environment: Mapping[str, Any], folder: Path
) -> None:
    """Write figures, page and pictures into a folder, and say where; what misses a library is left out, with a word."""
    from nasengine.bench.page import write_page
    from nasengine.bench.pictures import write_pictures

    folder.mkdir(parents=True, exist_ok=True)
    figures = folder / "comparison.json"
    figures.write_text(text_of.dumps(plain(comparison.rows), indent=2, allow_nan=False) + "\n", encoding="utf-8")
    written = [figures]
    held = f" ({comparison.contest.table.dataset})" if comparison.contest.table.dataset else ""
    title = f"{name}: strategies compared on {comparison.contest.table.name}{held}"
    if _there("plotly", "comparison.html"):
        written.append(write_page(comparison, title, summary(comparison, flags), line, environment, folder))
    if _there("matplotlib", "comparison.png and comparison.svg"):
        written += write_pictures(comparison, title, folder)
    note("written: " + ", ".join(map(str, written)))


def _there(library: str, files: str) -> bool:
    if importlib.util.find_spec(library) is not None:
        return True
    note(f"{files} cannot be made without {library}: run pip install 'nasengine[viz]', then the same command again")
    return False


@contextmanager
def progress(words: str, total: int) -> Iterator[Callable[[], None]]:
    """Say how far the runs are, on standard error: a bar in a terminal, else a line for each tenth."""
    console = err()
    if not console.is_terminal:
        note(words)
        yield _Lines(total).step
        return
    columns = TextColumn("{task.description}"), BarColumn(30), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(words, total=total)
        yield lambda: bar.advance(task)


class _Lines:
    """A line for each tenth of the runs."""

    def __init__(self, total: int):
        self.total, self.done, self.began = total, 0, time.monotonic()

    def step(self) -> None:
        """One run more is done."""
        self.done += 1
        if self.done * LINES // self.total > (self.done - 1) * LINES // self.total:
            left = (time.monotonic() - self.began) / self.done * (self.total - self.done)
            note(f"{self.done}/{self.total} runs, about {duration(left)} left")
