"""How long the report of a large search takes, and how large it gets: 5,000 trials, made up and recorded by the ledger.

python -m benchmarks.report [--trials 5000]
"""

import argparse
import random
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import update

from benchmarks.measure import BUDGET, Measured, quiet_process, repeated, seconds, show
from nasengine.job import Result
from nasengine.ledger import Ledger, SearchRecord
from nasengine.ledger import Trial as TrialStart
from nasengine.ledger.environment import environment
from nasengine.ledger.search_record import now
from nasengine.ledger.tables import trials
from nasengine.plugins import load_space
from nasengine.space import Space

GOAL = {"objectives": ["max:validation_accuracy", "min:params", "macs<400000.0"], "reward": "constraint"}
SECONDS, EPOCHS, WORKERS = 60.0, 8, 8  # of a made-up training; how many run at once


def record(path: Path, count: int) -> None:
    """A search of so many trials: most complete, some ended early, failed or beyond the bound; remarks of rounds."""
    space, rng = load_space("small-cell", {"input": (1, 8, 8), "classes": 10}), random.Random(0)
    facts = {
        "space": "small-cell", "settings": dict(space.settings), "decisions": space.decisions, "strategy": "gbdt",
        "evaluator": "train", "data": "digits", "seed": 0, "epochs": EPOCHS, "trials": count, "goal": GOAL,
        "command": "nasengine search --space small-cell --strategy gbdt", "environment": environment(),
    }  # fmt: skip
    with Ledger(path) as ledger:
        with ledger.open_search("large", **facts) as search:
            for number in range(count):
                _trial(search, space, number, rng)
                if number % 50 == 49:
                    values = {"tau": rng.gauss(0.4, 0.2), "better": 0.8, "told": number, "candidates": 10}
                    search.remark(number, "fidelity", f"results to {number}", values)
            search.finish()
        _spread_over_time(ledger)


def _trial(search: SearchRecord, space: Space, number: int, rng: random.Random) -> None:
    architecture = space.sample(rng)
    picks, quality = architecture.to_json(), min(rng.gauss(0.7, 0.06) + 0.1 * (1 - 0.999**number), 0.99)
    size = sum(option.startswith("conv") for kept in architecture.picks.values() for option in kept)
    row = search.start(TrialStart(number, architecture=picks, seed=0, lineage={"settings": dict(space.settings)}))
    ended = 2 if rng.random() < 0.2 else EPOCHS
    for epoch in range(1, ended + 1):
        value = quality * (1 - 0.6**epoch) + rng.gauss(0, 0.01)
        search.epoch(row, {"epoch": epoch, "train_loss": 2 * 0.8**epoch, "validation_accuracy": value})
    failed = rng.random() < 0.03
    values = {"validation_accuracy": quality, "validation_loss": 1 - quality, "train_accuracy": quality + 0.05}
    macs = 100_000 + 80_000 * size + rng.randrange(9_000)
    result = Result(
        number, picks, f"nas1:{number}", {} if failed else values, 2_000 + 1_500 * size + rng.randrange(900), macs,
        SECONDS, error=f"RuntimeError: CUDA out of memory, {number} MiB wanted" if failed else None,
        stopped=2 if ended == 2 and not failed else None, cost={"core_seconds": SECONDS, "joules": 900.0},
    )  # fmt: skip
    search.record(result, number, value=None if failed or macs > 400_000 else quality)


def _spread_over_time(ledger: Ledger) -> None:
    """Give trials the times that they would have had: recorded at once, all would stand in one minute."""
    begun = now() - timedelta(days=3)
    with ledger.database.writing() as connection:
        for number, row in enumerate(connection.execute(trials.select().order_by(trials.c.number)).all()):
            started = begun + timedelta(seconds=SECONDS * (number // WORKERS) + number % WORKERS)
            ended = {"started": started, "finished": started + timedelta(seconds=SECONDS - 2)}
            connection.execute(update(trials).where(trials.c.id == row.id).values(ended))


def measurements(rounds: int = 3, count: int = 5000) -> Iterator[Measured]:
    """Seconds to read a search and write its page, and how large that is."""
    with tempfile.TemporaryDirectory() as folder:
        database, page = Path(folder) / "large.db", Path(folder) / "large.html"
        record(database, count)
        took = repeated(partial(seconds, partial(write, database, page)), rounds)
        yield Measured(f"report of {count:,} trials", *took, 10, BUDGET, at_most=True, unit="s")
        size = page.stat().st_size / 1e6
        yield Measured(f"size of the report of {count:,} trials", size, 1.0, 15, BUDGET, at_most=True, unit="MB")


def write(database: Path, path: Path) -> None:
    """Write the page of a recorded search."""
    from nasengine.report import page
    from nasengine.report.contents import contents
    from nasengine.report.findings import read

    with Ledger(database, create=False) as ledger:
        page.write(contents(read(ledger, "large"), str(database)), path)


def main() -> None:
    """Measure and print."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--trials", type=int, default=5000)
    count = words.parse_args().trials
    quiet_process()
    show(measurements(count=count))


if __name__ == "__main__":
    main()
