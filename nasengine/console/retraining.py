"""The train command: one known architecture, trained under one or several seeds."""

import statistics
from collections.abc import Mapping
from typing import Any

from nasengine.console import exits
from nasengine.console.flags import named
from nasengine.console.output import duration, number, say, table
from nasengine.console.searching import at, resumable
from nasengine.runs import Run


def train(space: str, architecture: str, data: str, words: Mapping[str, Any], *, db: str, line: str) -> int:
    """Train from the words of a command line; returns the exit code."""
    from nasengine.console.progress import listener
    from nasengine.retrain import conduct, prepare

    given = {name: value for name, value in words.items() if value is not None}
    training = prepare(space, architecture, data, db=named(db), **given)
    shown = listener()
    with resumable(shown, line):
        run = conduct(training, named(db), shown, line)
    say(_found(run, architecture, db))
    return exits.OK


def _found(run: Run, architecture: str, db: str) -> str:
    rows = [row for row in run.results() if row["state"] == "complete"]
    columns = ["trial", "seed", "test accuracy", "test loss", "time"]
    measured = [(row["values"]["test_accuracy"], row["values"]["test_loss"]) for row in rows]
    table(
        columns,
        [
            (f"final-{row['trial']}", row["seed"], number(accuracy), number(loss), duration(row["seconds"]))
            for row, (accuracy, loss) in zip(rows, measured, strict=True)
        ],
        right=columns[1:],
    )
    accuracies = [accuracy for accuracy, _ in measured]
    spread = f" ± {statistics.stdev(accuracies):.4f} over {len(rows)} seeds" if len(rows) > 1 else ""
    figures = f"{number(rows[0]['params'])} parameters, {number(rows[0]['macs'])} multiply-adds an image"
    last = f"final-{rows[-1]['trial']}"
    return (
        f"\n{architecture[:60]}: test accuracy {statistics.mean(accuracies):.4f}{spread}; {figures}\n\nNext:\n"
        f"  nasengine export {last} --name {run.name} --to {run.name}{at(db)}\n"
        f"  nasengine show {last} --name {run.name}{at(db)}"
    )
