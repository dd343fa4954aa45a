"""How long 50,000 trials take to be listed, filtered and plotted, on the command line and in Python.

    python -m benchmarks.engine_many [--trials 50000]

The database is made up: one search of so many candidates and a small one beside it. `nasengine results --name` lists
the trials of one; `nasengine pareto` with a bound leaves those out that break it, finds the front, and draws all with
the volume over time as an .svg. Each is a whole process. In Python all three are done in one process: read, printed,
filtered, drawn.
"""

import argparse
import contextlib
import io
import random
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import insert

from benchmarks.engine import run
from benchmarks.measure import BUDGET, Measured, quiet_process, repeated, seconds, show
from nasengine.ledger import Ledger
from nasengine.ledger.search_record import now
from nasengine.ledger.tables import trials
from nasengine.plugins import load_space

GOAL = 3.0
BOUNDED = ["max:validation_accuracy", "min:params", "macs<400000"]


def made_up(path: Path, count: int) -> None:
    """A search called `large` of so many complete candidates, and one called `small`."""
    space, rng, begun = load_space("small-cell", {"input": (1, 8, 8), "classes": 10}), random.Random(0), now()
    facts = {"space": "small-cell", "strategy": "random-search", "settings": space.settings, "command": "benchmark"}
    with Ledger(path) as ledger:
        for name, number_of in (("large", count), ("small", 50)):
            rows = []
            for number in range(number_of):
                picks, accuracy = space.sample(rng).to_json(), min(rng.gauss(0.7, 0.06), 0.99)
                values = {"validation_accuracy": accuracy, "validation_loss": 1 - accuracy, "train_accuracy": accuracy}
                started = begun + timedelta(seconds=number)
                rows.append({
                    "number": number, "kind": "candidate", "state": "complete", "told_order": number, "seed": 0,
                    "architecture": picks, "digest": f"nas1:{name}{number}", "values": values, "value": accuracy,
                    "params": rng.randrange(2_000, 30_000), "macs": rng.randrange(100_000, 500_000), "seconds": 60.0,
                    "lineage": {"settings": space.settings}, "cost": {"core_seconds": 60.0},
                    "started": started, "finished": started + timedelta(seconds=60),
                })  # fmt: skip
            with ledger.open_search(name, goal={"objectives": BOUNDED[:2], "reward": "constraint"}, **facts) as search:
                with ledger.database.writing() as connection:
                    connection.execute(insert(trials), [{**row, "search_id": search.id} for row in rows])
                search.finish()


def in_python(db: str, picture: str) -> None:
    """The same three here."""
    from nasengine.console.front_words import show as front
    from nasengine.console.results import results

    with contextlib.redirect_stdout(io.StringIO()):
        results("large", db, json=False)
        front("large", BOUNDED, [], picture, db, json=False)


def measurements(rounds: int = 5, count: int = 50_000) -> Iterator[Measured]:
    """Each figure as soon as it is known."""
    with tempfile.TemporaryDirectory() as folder:
        db, picture = str(Path(folder) / "many.db"), str(Path(folder) / "front.svg")
        made_up(Path(db), count)
        bounds = [word for bound in BOUNDED for word in ("--objective", bound)]
        steps: dict[str, Callable[[], object]] = {
            "listed": partial(run, "-m", "nasengine.cli", "results", "--name", "large", "--db", db),
            "filtered and plotted": partial(
                run, "-m", "nasengine.cli", "pareto", "large", *bounds, "--draw", picture, "--db", db
            ),
            "all three in Python": partial(in_python, db, picture),
        }
        for name, step in steps.items():
            taken = repeated(partial(seconds, step), rounds)
            yield Measured(f"{count:,} trials {name}", *taken, GOAL, BUDGET, at_most=True, unit="s")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=50_000)
    words = parser.parse_args()
    quiet_process()
    show(measurements(count=words.trials))


if __name__ == "__main__":
    main()
