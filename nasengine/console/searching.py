"""The search command: run or only estimate a search, and say what it found."""

import random
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nasengine import commands
from nasengine.console import exits
from nasengine.console.costs import after_words
from nasengine.console.flags import DB, named
from nasengine.console.output import duration, note, number, out, say, table
from nasengine.console.spaces import extreme_words, size_words
from nasengine.errors import TrainingError
from nasengine.plan import make
from nasengine.planned import Plan
from nasengine.runs import Run, Trial
from nasengine.scale import published_scale
from nasengine.search.objective import MEASURED

if TYPE_CHECKING:
    from nasengine.console.progress import Lines


def search(words: Mapping[str, Any], *, db: str, dry_run: bool, line: str) -> int:
    """Run a search from the words of a command line; returns the exit code."""
    from nasengine.console.progress import listener
    from nasengine.engine import conduct

    plan = make(**{name: value for name, value in words.items() if value is not None}, db=named(db))
    if dry_run:
        show_plan(plan)
        return exits.OK
    shown = listener()
    with resumable(shown, line):
        run = conduct(plan, named(db), shown, line)
    say(supernet_found(run, db) if plan.is_sampler else found(run, db))
    return exits.OK


@contextmanager
def resumable(shown: "Lines", line: str, flag: str = "--name") -> Iterator[None]:
    """Say after Ctrl-C, and after a failure, which command goes on; `flag` gives a record its name there."""
    try:
        yield
    except KeyboardInterrupt:
        if not shown.name:
            raise
        raise exits.Stopped(
            f"{shown.name} is stopped and saved; this goes on with it:\n  {again(line, shown.name, flag)}"
        ) from None
    except TrainingError as error:
        raise TrainingError(f"{error}\nThis goes on where it failed:\n  {again(line, shown.name, flag)}") from error
    finally:
        shown.close()


def again(line: str, name: str, flag: str = "--name") -> str:
    """The command that goes on with a search: as it was typed, with its name."""
    has_name = any(word == flag or word.startswith(f"{flag}=") for word in shlex.split(line))
    return line if has_name else f"{line} {flag} {shlex.quote(name)}"


def at(db: str) -> str:
    """The flag that names a database, where it is not the usual one."""
    return "" if db == DB else f" --db {shlex.quote(db)}"


def found(run: Run, db: str) -> str:
    """What a search found: the network, its figures, and the commands that come next."""
    from nasengine.interpreters.drawing import outline

    trial = run.best
    after = after_words(run.ledger, run.name)
    told = [figures(run, trial), *([after] if after else [])]
    commands = [f"  {command}" for command in next_commands(run, trial, db)]
    return "\n".join([outline(trial.space, trial.architecture), "", *told, "", "Next:", *commands])


def supernet_found(run: Run, db: str) -> str:
    """What training a supernet left, and how it is searched."""
    from nasengine.engine import next_search

    trial = run.trial("supernet")
    return (
        f"search {run.name}, supernet: {measured(trial)}; {number(trial.params)} parameters, trained in "
        f"{duration(trial.seconds)}\n\nNext:\n  {next_search(run.name, named(db))}\n"
        f"  nasengine fidelity {run.name}{at(db)}"
    )


def next_commands(run: Run, trial: Trial, db: str) -> list[str]:
    """What one does with a network that was found; of a table's network there are no weights."""
    best = {**trial.row, "kind": "best"}
    if run.search["evaluator"] == "table":
        return [commands.show_command(run.search, best, db), commands.train_command(run.search, best, db, seeds=1)]
    scale = published_scale(run.search["space"], trial.settings, [trial.architecture])
    return [
        commands.export_command(run.search, best, db),
        f"nasengine dashboard{at(db)}",
        commands.train_command(run.search, best, db, settings=scale),
    ]


def measured(trial: Trial) -> str:
    """What a trial's training measured, apart from losses."""
    shown = {
        name: value
        for name, value in trial.values.items()
        if "accuracy" in name or name.partition("_")[2] in MEASURED and not name.endswith("_loss")
    }
    return ", ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in shown.items())


def figures(run: Run, trial: Trial) -> str:
    """The figures of a network in one paragraph."""
    trained = "by the table, trained" if run.search["evaluator"] == "table" else "trained"
    return (
        f"search {run.name}, {trial.kind} network: {measured(trial)}; {number(trial.params)} parameters, "
        f"{number(trial.macs)} multiply-adds an image, {trained} in {duration(trial.seconds)}"
    )


def show_plan(plan: Plan) -> None:
    """Print what a search would do, what it would search, and what it would take."""
    from nasengine.estimate import phases
    from nasengine.interpreters.extremes import extremes
    from nasengine.search.room import mebibytes
    from nasengine.training.balance import imbalance_words

    data = plan.data
    parts = (f"{len(part)} {name}" for name, part in vars(data).items() if name in ("train", "validation", "test"))
    say(f"space {plan.space_name}: {size_words(plan.space)}")
    say(extreme_words(*extremes(plan.space, random.Random(0))))
    where = f"{plan.executor}, {plan.workers} workers" if plan.workers > 1 else plan.executor
    say(f"strategy {plan.strategy_name}, seed {plan.seed}, evaluator {plan.evaluator}, executor {where}")
    say(f"data {plan.data_name}: {data.input} images, {data.classes} classes; {', '.join(parts)}\n")
    if uneven := imbalance_words(data):
        say(f"{uneven}\n")
    note("timing a few steps …")
    rows = phases(plan)
    columns = ["phase", "times", "epochs", "steps an epoch", "memory of a step", "time"]
    table(
        columns,
        [
            (p.name, p.times, p.epochs, p.steps, f"about {mebibytes(p.bytes)}", f"about {duration(p.seconds)}")
            for p in rows
        ],
        right=columns[1:],
    )
    total = duration(sum(p.seconds for p in rows))
    out().print(f"about {total} in all: a few steps timed on this machine now, and extrapolated; nothing was begun")
