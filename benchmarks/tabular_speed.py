"""How fast a search on a table is: a query in memory, and a trial that is recorded in SQLite.

    python -m benchmarks.tabular_speed [--table nasbench201]

Evolution asks, the table answers, evolution is told: no process, no database. These are the processor's seconds. What
is recorded is a trial with its answer, in one durable transaction, as a search on a table writes it; by the clock.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path

from benchmarks.measure import BUDGET, Measured, quiet_process, repeated, seconds, show
from nasengine.bench.contest import Contest, Entry
from nasengine.bench.tabular import query
from nasengine.job import Json, Result
from nasengine.ledger import Ledger, SearchRecord
from nasengine.search.propose import draws_of
from nasengine.strategies.evolution import Evolution

QUERIES, RECORDS = 20_000, 2000  # of a round


def query_microseconds(contest: Contest) -> float:
    """The mean of one search."""
    search = partial(query, contest, Evolution(contest.table.space), QUERIES, 0, [])
    return 1e6 / QUERIES * seconds(search, time.process_time)


def record_milliseconds(record: SearchRecord, picks: Json, numbers: Iterator[int]) -> float:
    """The mean of some trials."""

    def write() -> None:
        for _ in range(RECORDS):
            number = next(numbers)
            record.answer(Result(number, picks, values={"validation_accuracy": 0.5}), number, value=0.5)

    return 1e3 / RECORDS * seconds(write)


def measurements(rounds: int = 5, table: str = "digits") -> Iterator[Measured]:
    """Microseconds a query, and milliseconds a recorded trial."""
    contest = Entry(table).contest()
    space = contest.table.space
    taken = repeated(partial(query_microseconds, contest), rounds)
    yield Measured(f"a query of the table {table}, evolution", *taken, 20, BUDGET, at_most=True, unit="us")
    picks = Evolution(space).ask(draws_of(0, 0)).to_json()
    with (
        tempfile.TemporaryDirectory() as folder,
        Ledger(Path(folder) / "speed.db") as ledger,
        ledger.open_search("table", space=space.name, strategy="evolution", command="benchmark") as record,
    ):
        taken = repeated(partial(record_milliseconds, record, picks, count()), rounds)
        yield Measured("a durable trial, a table's answer", *taken, 0.5, BUDGET, at_most=True, unit="ms")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", default="digits")
    table = parser.parse_args().table
    quiet_process()
    show(measurements(table=table))


if __name__ == "__main__":
    main()
