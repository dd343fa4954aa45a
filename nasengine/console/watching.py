"""A search followed from another terminal: a live view, lines where there is no terminal, or JSON."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from time import monotonic, sleep
from typing import Any

from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from nasengine import commands
from nasengine.console import exits
from nasengine.console.costs import cost_words
from nasengine.console.curves import curve_lines
from nasengine.console.epochs import epoch_words
from nasengine.console.flags import named
from nasengine.console.output import duration, number, out
from nasengine.console.watched import LATEST, Pace, Row, Seen, look
from nasengine.errors import LedgerError
from nasengine.job import COMPARED, plain
from nasengine.ledger import Ledger

IDLE = 10  # between looks so many times as long as a look took, at least: the database belongs to the search
EPOCHS = 3  # of a training that are shown in words


def watch(name: str | None, db: str, every: float, as_json: bool) -> int:
    """Show a search until it ends, or Ctrl-C; the newest running one where none is named."""
    with Ledger(named(db), create=False) as ledger:
        found = name or _newest(ledger, db)
        try:
            if as_json:
                _follow(ledger, found, every, _json)
            elif out().is_terminal:
                _live(ledger, found, db, every)
            else:
                _follow(ledger, found, every, _Lines(db))
        except KeyboardInterrupt:
            pass  # the search goes on
    return exits.OK


def _newest(ledger: Ledger, db: str) -> str:
    found = ledger.searches()
    if not found:
        raise LedgerError(f"{db}: no search is recorded there; begin one with `nasengine search`")
    running = [search for search in found if search["driven"]]
    return str((running or found)[-1]["name"])


def _follow(ledger: Ledger, name: str, every: float, show: Callable[[Seen], None]) -> None:
    """Show what is new until the search ends."""
    mark: Any = None
    while True:
        began = monotonic()
        seen = look(ledger, name)
        if seen.mark != mark or not seen.running:
            mark = seen.mark
            show(seen)
        if not seen.running:
            return
        sleep(max(every, IDLE * (monotonic() - began)))


def _json(seen: Seen) -> None:
    print(json.dumps(plain(seen.to_json()), allow_nan=False), flush=True)


def _live(ledger: Ledger, name: str, db: str, every: float) -> None:
    pace = Pace()
    with Live(console=out(), auto_refresh=False) as live:
        while True:
            began = monotonic()
            seen = look(ledger, name)
            live.update(view(seen, db, pace.left(seen)), refresh=True)
            if not seen.running:
                return
            sleep(max(every, IDLE * (monotonic() - began)))


class _Lines:
    """A line for each trial that ended and each epoch of a long training since the last look."""

    def __init__(self, db: str) -> None:
        self.db = db
        self.seen: Seen | None = None

    def __call__(self, seen: Seen) -> None:
        """Print what is new; first, and in the end, the whole."""
        before, self.seen = self.seen, seen
        if before is None or not seen.running:
            out().print(view(seen, self.db, None))
            return
        for row in (row for row in seen.rows if row["kind"] != "candidate"):
            for epoch in seen.curves[row["id"]][len(before.curves.get(row["id"], ())) :]:
                print(f"{row['kind']} {epoch['epoch']}/{_epochs_of(row)}  {_epoch(epoch)}", flush=True)
        for row in (row for row in seen.ended if row["id"] not in {row["id"] for row in before.ended}):
            best = seen.best
            told = f"  best {_figures(seen, best)}" if best is not None and best is not row else ""
            print(f"{seen.phase} {_progress(seen)}  {_trial(seen, row)}{told}", flush=True)


def _epochs_of(row: Row) -> Any:
    return (row["recipe"] or {}).get("epochs", "?")


def view(seen: Seen, db: str, left: float | None) -> Group:
    """The search in a few lines."""
    search = seen.search
    what = f"{search['strategy']} in {search['space']} on {search['data']}"
    grid = Table.grid(padding=(0, 2))
    grid.add_column(width=10)
    grid.add_column(overflow="fold")
    for name, line in _lines(seen, db, left):
        grid.add_row(name, line)
    return Group(f"{search['name']}: {what}: {search['state']}", grid)


def _lines(seen: Seen, db: str, left: float | None) -> Iterator[tuple[str, Any]]:
    yield seen.phase, _bar(seen, left)
    if (best := seen.best) is not None:
        yield "best", f"{_called(best)}: {_figures(seen, best)}, {_size(best)}"
    yield from _beside("curve", curve_lines(seen.curve))
    if seen.phase != "candidates":
        yield from _beside("epochs", [f"{epoch['epoch']}  {_epoch(epoch)}" for epoch in seen.curve[-EPOCHS:]])
    yield from _beside("running", [_running(row, seen.curves[row["id"]]) for row in seen.now])
    yield from _beside("last", [_trial(seen, row) for row in reversed(seen.ended[-LATEST:])])
    spent = f"{duration(seen.elapsed)} since it began; " if seen.elapsed is not None else ""
    yield "time", f"{spent}{duration(seen.cost['seconds'])} of trials"
    if cost := cost_words({**seen.cost, "attempts": 0}):
        yield "cost", cost
    if not seen.running and seen.search["state"] != "complete":
        yield "go on", commands.search_command(seen.search, db)


def _beside(name: str, lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Lines with a name before the first."""
    yield from ((name if i == 0 else "", line) for i, line in enumerate(lines))


def _bar(seen: Seen, left: float | None) -> Any:
    words = _progress(seen) + (f", about {duration(left)} left" if left else "")
    if not seen.total:
        return words
    grid = Table.grid(padding=(0, 2))
    grid.add_row(ProgressBar(total=seen.total, completed=min(seen.done, seen.total), width=30), words)
    return grid


def _progress(seen: Seen) -> str:
    unit = "trials" if seen.phase == "candidates" else "epochs"
    return f"{seen.done}/{seen.total or '?'} {unit}"


def _epoch(epoch: Row) -> str:
    if "train_loss" in epoch and any(f"train_{name}" in epoch for name in COMPARED):
        return epoch_words(epoch)
    return "  ".join(f"{name.replace('_', ' ')} {number(one)}" for name, one in epoch.items() if isinstance(one, float))


def _trial(seen: Seen, row: Row) -> str:
    how = {"complete": "", "failed": f" failed: {row['error']}"}.get(row["state"], f" {row['state']}")
    figures = [_figures(seen, row), duration(row["seconds"])]
    known = ["known from another"] if row["reused_from"] else []
    return f"{_called(row)}{how}: {', '.join([*filter(None, figures), *known])}".rstrip(": ")


def _running(row: Row, epochs: Sequence[Row]) -> str:
    return f"{_called(row)}: epoch {epochs[-1]['epoch']}  {_epoch(epochs[-1])}" if epochs else _called(row)


def _figures(seen: Seen, row: Row) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {number(value)}" for name, value in seen.figures(row).items())


def _called(row: Row) -> str:
    return f"candidate {row['trial']}" if row["kind"] == "candidate" else str(row["kind"])


def _size(row: Row) -> str:
    return f"{number(row['params'])} parameters, {number(row['macs'])} multiply-adds"
