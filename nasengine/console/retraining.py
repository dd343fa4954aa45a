"""The train command: known architectures, trained under one or several seeds."""

from collections.abc import Mapping
from typing import Any

from nasengine.console import exits
from nasengine.console.flags import named
from nasengine.console.output import duration, emit, number, say, table
from nasengine.console.searching import at, resumable
from nasengine.errors import NasError
from nasengine.plan import DATA, SPACE
from nasengine.retrain_plan import Training
from nasengine.retrained import Retrained, retrained
from nasengine.runs import Run


def train(
    which: Mapping[str, Any], data: str | None, words: Mapping[str, Any], *, db: str, json: bool, line: str
) -> int:
    """Train from the words of a command line; returns the exit code."""
    from nasengine.console.progress import listener
    from nasengine.retrain import conduct

    training = _prepared(which, data, {name: value for name, value in words.items() if value is not None}, db)
    shown = listener()
    with resumable(shown, line):
        run = conduct(training, named(db), shown, line)
    if json:
        emit(retrained(run).to_json())
    elif training.source is None:
        say(_one(run, str(which["architecture"]), db))
    else:
        say(_several(retrained(run), db))
    return exits.OK


def _prepared(which: Mapping[str, Any], data: str | None, words: Mapping[str, Any], db: str) -> Training:
    from nasengine.retrain_plan import prepare, prepare_top

    architecture, source, space = which["architecture"], which["source"], which["space"]
    if (architecture is None) == (source is None):
        came = "neither" if source is None else "both"
        raise NasError(f"train: --architecture and --from: {came} came; give one: a network, or the search whose best")
    if source is None:
        return prepare(space or SPACE, architecture, data or DATA, db=named(db), **words)
    if space is not None:
        raise NasError(f"train: --space {space} came with --from; the space is that of {source}: leave it out")
    return prepare_top(source, data, db=named(db), count=which["top"], scale=which["scale"], **words)


def _one(run: Run, architecture: str, db: str) -> str:
    rows = [row for row in run.results() if row["state"] == "complete"]
    (found,) = retrained(run).networks
    name = retrained(run).name_of_metric
    columns = ["trial", "seed", name, "test loss", "time"]
    table(
        columns,
        [
            (f"final-{row['trial']}", row["seed"], number(row["values"][found.metric]),
             number(row["values"].get("test_loss")), duration(row["seconds"]))
            for row in rows
        ],
        right=columns[1:],
    )  # fmt: skip
    seeds = f" over {len(rows)} seeds" if len(rows) > 1 else ""
    figures = f"{number(rows[0]['params'])} parameters, {number(rows[0]['macs'])} multiply-adds an image"
    return f"\n{architecture[:60]}: {name} {found.words}{seeds}; {figures}\n\n{_next(run.name, rows[-1]['trial'], db)}"


def _several(found: Retrained, db: str) -> str:
    """The networks from the best down, and how far that is the order of the search."""
    columns = ["rank", "network", "in the search", found.name_of_value, found.name_of_metric, "seeds", "parameters"]
    table(
        [*columns, "multiply-adds"],
        [
            (rank, one.origin, one.place, number(one.value), one.words, len(one.scores), number(one.params),
             number(one.macs))
            for rank, one in enumerate(found.networks, 1)
        ],
        right=[name for name in [*columns, "multiply-adds"] if name != "network"],
    )  # fmt: skip
    first = min(found.networks, key=lambda one: one.place)
    return "\n".join(["", *found.remarks(), "", _next(found.name, first.trials[-1], db)])


def _next(name: str, trial: int, db: str) -> str:
    which = f"final-{trial} --name {name}"
    return f"Next:\n  nasengine export {which} --to {name}{at(db)}\n  nasengine show {which}{at(db)}"
