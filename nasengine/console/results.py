"""What searches found: lists of trials, one trial in full, and its export."""

from collections.abc import Mapping
from typing import Any

from nasengine.console.costs import after_words, cost_words
from nasengine.console.flags import named
from nasengine.console.output import duration, emit, note, number, say, table
from nasengine.errors import LedgerError
from nasengine.ledger import Ledger
from nasengine.runs import Run, Trial

MEASURES = ("test_accuracy", "validation_accuracy", "gate_accuracy", "train_accuracy")  # the first there is shown


def run_of(name: str | None, db: str) -> Run:
    """The search of this name, or the newest one."""
    if name is None:
        found = Ledger(named(db), create=False).searches()
        if not found:
            raise LedgerError(f"{db}: no search is recorded there; begin one with `nasengine search`")
        name = str(found[-1]["name"])
    return Run(name, named(db))


def results(name: str | None, db: str, json: bool) -> None:
    """List the trials of one search, or of all."""
    ledger = Ledger(named(db), create=False)
    rows = ledger.results(name)
    if json:
        emit(rows)
        return
    if not rows:
        say(f"{db} holds no results{f' of {name}' if name else ''} yet.")
        return
    columns = ["search", "trial", "kind", "state", "accuracy", "measured on", "params", "macs", "time", "best"]
    table(columns, map(_row, rows), right=["trial", "accuracy", "params", "macs", "time"])
    if name is not None and (words := after_words(ledger, name)):
        say(f"\n{words}")


def _row(row: Mapping[str, Any]) -> tuple[Any, ...]:
    measure = next((name for name in MEASURES if row["values"].get(name) is not None), None)
    value = number(row["value"] if measure is None else row["values"][measure])
    on = measure.removesuffix("_accuracy") if measure else "the goal" if row["value"] is not None else ""
    figures = number(row["params"]), number(row["macs"]), duration(row["seconds"])
    return row["search"], row["trial"], row["kind"], row["state"], value, on, *figures, "*" if row["best"] else ""


def show(which: str, name: str | None, db: str, draw: str | None, json: bool) -> None:
    """Show one trial: the network in lines, its figures, where it comes from; draw it into a file where asked."""
    trial = run_of(name, db).trial(which)
    if json:
        emit({**trial.facts(), "state": trial.state, "architecture": trial.row["architecture"], "epochs": trial.epochs})
    else:
        say(_described(trial))
    if draw is not None:
        from nasengine.interpreters.picture import draw as draw_into

        note(f"drawn into {draw_into(trial.space, trial.architecture, draw)}")


def _described(trial: Trial) -> str:
    from nasengine.interpreters.drawing import text

    lines = [text(trial.space, trial.architecture), ""] if trial.row["architecture"] else []
    facts = {
        "trial": f"{trial.search['name']}, {trial.kind} {trial.number}: {trial.state}",
        "error": trial.error,
        **{name.replace("_", " "): number(value) for name, value in trial.values.items()},
        "parameters": number(trial.params),
        "multiply-adds": f"{number(trial.macs)} an image" if trial.macs else None,
        "time": duration(trial.seconds),
        "ended early": f"after epoch {trial.row['stopped']}" if trial.row["stopped"] else None,
        "cost": cost_words(trial.row["cost"]),
        "digest": trial.digest,
        "found by": f"{trial.search['strategy']} in {trial.search['space']} on {trial.search['data']}",
        "seed": str(trial.seed),
        **{name.replace("_", " "): str(value) for name, value in trial.lineage.items() if name != "settings"},
        "known from": f"result {trial.row['reused_from']} of the database" if trial.row["reused_from"] else None,
        "epochs": _curve(trial.epochs),
        "settings": ", ".join(f"{name}={value}" for name, value in trial.settings.items()),
        "command": trial.search["command"],
    }
    return "\n".join(lines + [f"{name:20} {value}" for name, value in facts.items() if value])


def _curve(epochs: list[dict[str, Any]]) -> str:
    """How many epochs there were, and where each figure began and ended."""
    if not epochs:
        return ""
    first, last = epochs[0], epochs[-1]
    shown = [name for name in last if name.endswith(("accuracy", "loss"))]
    ways = (f"{name.replace('_', ' ')} {number(first.get(name))} to {number(last[name])}" for name in shown)
    return f"{len(epochs)}: {', '.join(ways)}"


def export(which: str, name: str | None, db: str, to: str) -> None:
    """Write a network as a folder that needs torch alone."""
    trial = run_of(name, db).trial(which)
    made = trial.export(to)
    for path in made.files:
        say(str(path))
    say(f"{number(made.params)} parameters, {number(made.macs)} multiply-adds an image")
    say(f"parity {made.parity:.1e}: the largest difference to the trained network, relative to its output")
