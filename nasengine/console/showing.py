"""One network shown: its drawing, its figures, its curve, where it comes from, and what one does with it next."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nasengine import commands, plugins
from nasengine.console.costs import cost_words
from nasengine.console.curves import curve_lines
from nasengine.console.flags import named
from nasengine.console.output import duration, emit, note, number, say
from nasengine.console.results import run_of
from nasengine.console.searching import at
from nasengine.errors import ExportError, NasError
from nasengine.runs import Trial, picks_of
from nasengine.space import Architecture, Space

WIDE = 20  # letters of what stands before a fact
STATES = {
    "running": "it is running; its figures are those so far",
    "stopped": "its search was stopped while it ran; the search goes on with its own command",
    "pruned": "it was ended early",
    "failed": "it failed",
}


def show_trial(which: str, name: str | None, db: str, draw: str | None, json: bool) -> None:
    """Show one trial of a search; draw it into a file where asked."""
    run = run_of(name, db)
    trial = run.trial(which)
    if json:
        emit({**_facts(trial), "next": list(_next(trial, db))})
    else:
        say("\n".join([*_drawing(trial), *_told(_described(trial))]))
        if after := list(_next(trial, db)):
            say("\n".join(["", "Next:", *(f"  {command}" for command in after)]))
    if draw is not None:
        if not trial.row["architecture"]:
            raise ExportError(f"{trial!r}: no architecture is recorded of it yet; draw another trial")
        _draw(trial.space, trial.architecture, draw)


def show_architecture(
    space_name: str, chosen: str, settings: Mapping[str, Any], db: str, draw: str | None, json: bool
) -> None:
    """Show an architecture that is published, or in a file, in the space's settings that it comes with."""
    from nasengine.interpreters.cost import cost
    from nasengine.interpreters.drawing import outline

    picks, published = picks_of(space_name, chosen, named(db))
    space = plugins.load_space(space_name, {**published, **settings})
    architecture = space.check(picks)
    size = cost(space, architecture)
    if json:
        known = {"space": space_name, "settings": dict(space.settings), "architecture": architecture.to_json()}
        emit({**known, "params": size.params, "macs": size.macs})
    else:
        facts = {
            "parameters": number(size.params),
            "multiply-adds": f"{number(size.macs)} an image",
            "settings": _settings(space.settings),
        }
        say("\n".join([outline(space, architecture), "", *_told(facts)]))
    if draw is not None:
        _draw(space, architecture, draw)


def _draw(space: Space, architecture: Architecture, path: str) -> None:
    from nasengine.interpreters.picture import draw

    note(f"drawn into {draw(space, architecture, path)}")


def _facts(trial: Trial) -> dict[str, Any]:
    row = trial.row
    known = {"state": trial.state, "architecture": row["architecture"], "epochs": trial.epochs, "error": trial.error}
    return {**trial.facts(), **known, "stopped": row["stopped"], "cost": row["cost"], "value": row["value"]}


def _drawing(trial: Trial) -> list[str]:
    """The network in lines; where its space is gone, why it cannot be drawn."""
    from nasengine.interpreters.drawing import outline

    if not trial.row["architecture"] or (trial.kind == "supernet" and not _has_gates(trial)):
        return []
    try:
        return [outline(trial.space, trial.architecture), ""]
    except NasError as error:
        return [f"The network cannot be drawn: {error}", ""]


def _described(trial: Trial) -> dict[str, str | Sequence[str] | None]:
    """What is known, by what it is called; a sequence takes several lines."""
    row, search = trial.row, trial.search
    network = "; drawn is what its gates choose" if trial.kind == "supernet" and _has_gates(trial) else ""
    return {
        "trial": f"{search['name']}, {trial.kind} {trial.number}: {trial.state}{network}",
        "": STATES.get(trial.state),
        "error": trial.error,
        **{name.replace("_", " "): number(value) for name, value in trial.values.items()},
        "parameters": number(trial.params),
        "multiply-adds": f"{number(trial.macs)} an image" if trial.macs else None,
        "time": duration(trial.seconds),
        "ended early": f"after epoch {row['stopped']}" if row["stopped"] else None,
        "cost": cost_words(row["cost"]),
        "epochs": [str(len(trial.epochs)), *curve_lines(trial.epochs)] if trial.epochs else None,
        "digest": trial.digest,
        "found by": f"{search['strategy']} in {search['space']} on {search['data']}, seed {search['seed']}",
        "seed": str(trial.seed),
        **{name.replace("_", " "): str(value) for name, value in trial.lineage.items() if name != "settings"},
        "known from": f"result {row['reused_from']} of the database" if row["reused_from"] else None,
        "settings": _settings(trial.settings),
        "weights": row["weights"] or ("none were kept" if trial.state == "complete" else None),
        "command": search["command"],
    }


def _has_gates(trial: Trial) -> bool:
    """Whether a supernet was a gradient search, and its architecture what that settled on."""
    return any("gate_entropy" in epoch for epoch in trial.epochs)


def _settings(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in settings.items())


def _told(facts: Mapping[str, str | Sequence[str] | None]) -> Iterator[str]:
    for name, value in facts.items():
        for i, line in enumerate([value] if isinstance(value, str) else value or []):
            if line:
                yield f"{'' if i else name:{WIDE}} {line}"


def _next(trial: Trial, db: str) -> Iterator[str]:
    """The commands that make sense for a trial in its state."""
    search, row = trial.search, trial.row
    if search["driven"]:
        yield commands.watch_command(search, db)
    elif search["state"] != "complete":
        yield commands.search_command(search, db)
    elif trial.state == "failed" and trial.kind == "candidate":
        yield f"nasengine retry {search['name']} --trial {trial.number}{at(db)}"
    if trial.kind == "supernet" and trial.state == "complete" and not _has_gates(trial):
        yield f"nasengine search --strategy evolution --supernet {search['name']}{at(db)}"
    if trial.kind == "supernet" or not row["architecture"]:
        return
    if trial.state == "complete" and row["weights"]:
        yield commands.export_command(search, row, db)
    yield commands.train_command(search, row, db)
