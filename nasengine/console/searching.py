"""The search command: run or only estimate a search, and say what it found."""

import random
from collections.abc import Mapping
from typing import Any

from nasengine.console import exits
from nasengine.console.flags import DB, named
from nasengine.console.output import duration, note, number, out, say, table
from nasengine.console.spaces import extreme_words, size_words
from nasengine.plan import Plan, make
from nasengine.runs import Run, Trial


def search(words: Mapping[str, Any], *, db: str, dry_run: bool, line: str) -> int:
    """Run a search from the words of a command line; returns the exit code."""
    from nasengine.console.progress import listener
    from nasengine.engine import conduct

    plan = make(**{name: value for name, value in words.items() if value is not None})
    if dry_run:
        show_plan(plan)
        return exits.OK
    shown = listener()
    try:
        run = conduct(plan, named(db), shown, line)
    except KeyboardInterrupt:
        again = line if "--name" in line else f"{line} --name {shown.name}"
        raise exits.Stopped(f"search {shown.name} is stopped and saved; this goes on with it:\n  {again}") from None
    finally:
        shown.close()
    say(found(run, db))
    return exits.OK


def found(run: Run, db: str) -> str:
    """What a search found: the network, its figures, and the commands that come next."""
    from nasengine.interpreters.drawing import text

    trial, at = run.best, "" if db == DB else f" --db {db}"
    return "\n".join([
        text(trial.space, trial.architecture),
        "",
        figures(run, trial),
        "",
        "Next:",
        f"  nasengine export best --name {run.name} --to {run.name}{at}",
        f"  nasengine show best --name {run.name} --draw {run.name}.svg{at}",
        f"  nasengine dashboard{at}",
    ])  # fmt: skip


def figures(run: Run, trial: Trial) -> str:
    """The figures of a network in one paragraph."""
    shown = [f"{name.replace('_', ' ')} {value:.4f}" for name, value in trial.values.items() if "accuracy" in name]
    return (
        f"search {run.name}, {trial.kind} network: {', '.join(shown)}; {number(trial.params)} parameters, "
        f"{number(trial.macs)} multiply-adds an image, trained in {duration(trial.seconds)}"
    )


def show_plan(plan: Plan) -> None:
    """Print what a search would do, what it would search, and what it would take."""
    from nasengine.estimate import phases
    from nasengine.interpreters.extremes import extremes
    from nasengine.search.room import mebibytes

    data = plan.dataset
    parts = (f"{len(part)} {name}" for name, part in vars(data).items() if name in ("train", "validation", "test"))
    say(f"space {plan.space_name}: {size_words(plan.space)}")
    say(extreme_words(*extremes(plan.space, random.Random(0))))
    say(f"strategy {plan.strategy_name}, seed {plan.seed}, evaluator {plan.evaluator}, executor {plan.executor}")
    say(f"data {plan.data_name}: {data.input} images, {data.classes} classes; {', '.join(parts)}\n")
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
