"""One strategy on one table with one seed, in memory: ask, look up, tell, in the order of proposals."""

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from nasengine.bench.contest import Contest
from nasengine.errors import NasError, TableError
from nasengine.search.propose import draws_of
from nasengine.search.strategy import Strategy, Told
from nasengine.space import Space

NO_ROW = -1  # in place of a row: the table does not know what was proposed


@dataclass
class Run:
    """What one strategy did with one seed; `rows` are the table's rows in the order they were asked for."""

    strategy: str
    seed: int
    rows: list[int] = field(default_factory=list)
    ended: bool = False  # the strategy had nothing more to propose
    error: str | None = None
    seconds: float = 0.0
    warnings: list[str] = field(default_factory=list)


def play(contest: Contest, make: Callable[[Space], Strategy], budget: int, seed: int, label: str = "") -> Run:
    """Run a strategy until its budget of queries is spent; duplicates cost a query like any other.

    A proposal that the table has no row for is told as a failure, and costs a query. An error of the strategy, or an
    illegal proposal, ends the run and becomes its `error`.
    """
    run = Run(label, seed)
    began = time.perf_counter()
    try:
        strategy = make(contest.table.space)
        run.ended = not query(contest, strategy, budget, seed, run.rows)
        run.warnings = _warnings(strategy)
    except Exception as error:
        run.error = f"query {len(run.rows)}: {_words(error)}"
    run.seconds = time.perf_counter() - began
    return run


def query(contest: Contest, strategy: Strategy, budget: int, seed: int, rows: list[int]) -> bool:
    """Ask and tell in turns, noting rows; False where the strategy had nothing more to propose before the end."""
    ask, tell, row_of, answer = strategy.ask, strategy.tell, contest.table.row, contest.answer
    for number in range(budget):
        architecture = ask(draws_of(seed, number))
        if architecture is None:
            return False
        try:
            row = row_of(architecture)
        except TableError as error:
            contest.table.space.check(architecture.picks)  # an illegal proposal is the strategy's error, not a failure
            rows.append(NO_ROW)
            tell(Told(number, architecture, {}, None, str(error)))
            continue
        rows.append(row)
        values, score, objectives = answer(row)
        tell(Told(number, architecture, values, score, None, objectives))
    return True


def _warnings(strategy: Any) -> list[str]:
    """What a strategy warned of in its remarks, each once."""
    remarks = strategy.remarks() if hasattr(strategy, "remarks") else []
    return list(dict.fromkeys(remark.text for remark in remarks if remark.kind == "warning"))


def _words(error: Exception) -> str:
    """An error with the deepest line that led to it; a message for users needs no line."""
    if isinstance(error, NasError):
        return str(error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({last.filename}:{last.lineno})"
