"""Where words go: what was asked for to standard output, progress and notes to standard error."""

import json
import logging
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from nasengine.job import plain

MANY = 1000  # rows that are printed as they come: to lay more of them out takes longer than to find them
WIDE = 200  # columns where there is no terminal to ask, so that nothing is cut off in a pipe


def out() -> Console:
    """Standard output; plain text without control codes where it is no terminal."""
    return _console(stderr=False)


def err() -> Console:
    """Standard error."""
    return _console(stderr=True)


def say(text: str) -> None:
    """Print text as it stands."""
    print(text)


def note(text: str) -> None:
    """Print a remark on standard error."""
    print(text, file=sys.stderr)


class _Notes(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        note(record.getMessage())


def hear_the_engine() -> None:
    """Print what the engine's own loggers tell, such as how far a long reading of images is, as remarks."""
    logger = logging.getLogger("nasengine")
    logger.setLevel(logging.INFO)
    logger.handlers = [_Notes()]


def emit(value: Any) -> None:
    """Print a value as JSON, long lists with one item a line; numbers that are not finite become null."""
    if isinstance(value, list) and len(value) > MANY:
        lines = ",\n".join(json.dumps(plain(item), allow_nan=False) for item in value)
        print(f"[\n{lines}\n]")
    else:
        print(json.dumps(plain(value), indent=2, allow_nan=False))


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], right: Sequence[str] = ()) -> None:
    """Print rows under columns; those named in `right` are set flush right."""
    words = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if len(words) > MANY:
        _print_plainly([list(columns), *words], [column in right for column in columns])
        return
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in words:
        made.add_row(*row)
    out().print(made)


def _print_plainly(rows: Sequence[Sequence[str]], flush_right: Sequence[bool]) -> None:
    """The same as it looks in a pipe; no line is folded."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    line = "  ".join(f"{{:{'>' if right else '<'}{w}}}" for w, right in zip(widths, flush_right, strict=True))
    sys.stdout.write("".join([line.format(*row) + "\n" for row in rows]))


def number(value: float | None) -> str:
    """An integer with commas, a value with four digits; nothing for none."""
    if value is None:
        return ""
    if isinstance(value, int) or (abs(value) >= 1000 and value.is_integer()):
        return f"{value:,.0f}"
    return f"{value:.4f}"


def duration(seconds: float | None) -> str:
    """Seconds as a person says them: 0.4 s, 12 s, 3 min 05 s, 2 h 10 min."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def _console(stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    return console if console.is_terminal else Console(stderr=stderr, highlight=False, markup=False, width=WIDE)
