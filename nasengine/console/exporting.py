"""The export command: a trial's network, or one trained anew at another scale, in the formats asked for."""

import hashlib
import json as written
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasengine.commands import called
from nasengine.console import exits
from nasengine.console.flags import named
from nasengine.console.output import duration, emit, note, number, say, table
from nasengine.console.results import run_of
from nasengine.errors import ExportError
from nasengine.runs import Trial

if TYPE_CHECKING:
    from nasengine.exporters.folder import Exported
    from nasengine.exporters.parity import Check


@dataclass(frozen=True)
class Wanted:
    """What is asked for, in the words of the command line; `anew` is what a training before it is told."""

    to: str
    formats: str
    batch: str
    image: int | None
    data: str | None
    retrain: bool
    anew: Mapping[str, Any]

    @property
    def names(self) -> list[str]:
        """The formats' names."""
        return [word.strip() for word in self.formats.split(",") if word.strip()]

    @property
    def size(self) -> int | None:
        """How many images the traced formats take at once; None for any number."""
        if self.batch == "dynamic":
            return None
        if not self.batch.isdecimal() or int(self.batch) < 1:
            raise ExportError(f'export: --batch came as "{self.batch}"; dynamic or a whole number from 1 on is allowed')
        return int(self.batch)

    def check(self) -> None:
        """Raise ExportError before anything begins where something cannot be."""
        from nasengine.exporters.folder import ready

        if self.anew and not self.retrain:
            flag = {"recipe_name": "--recipe", "recipe_values": "--recipe.…", "space_settings": "--space.…"}
            came = ", ".join(flag[word] for word in self.anew)
            raise ExportError(f"export: {came} came; a network that is trained already keeps its own; add --retrain")
        ready(Path(self.to), self.names)


def export(which: str, name: str | None, db: str, wanted: Wanted, json: bool, line: str) -> int:
    """Write a network and say how it compares; returns the exit code."""
    from nasengine.export import export_trial
    from nasengine.exporters.parity import ParityError

    batch = wanted.size
    wanted.check()
    trial = run_of(name, db).trial(which)
    trial, facts = _trained_anew(trial, wanted, db, line) if wanted.retrain else (trial, {})
    try:
        made = export_trial(
            trial, wanted.to, wanted.names, batch=batch, image=wanted.image, data=wanted.data, facts=facts, note=note
        )
    except ParityError as error:
        if not json:
            _table(error.checks, "held out")
        note(f"nasengine: {error}")
        return exits.FAILED
    if json:
        emit({"folder": str(made.folder), "files": [str(path) for path in made.files], **made.facts})
    else:
        _told(made)
    return exits.OK


def _trained_anew(trial: Trial, wanted: Wanted, db: str, line: str) -> tuple[Trial, dict[str, Any]]:
    """The same architecture after a training of its own, and the scale that it was found at."""
    from nasengine.console.progress import listener
    from nasengine.console.searching import resumable
    from nasengine.plan import DATA
    from nasengine.retrain import conduct, prepare

    search, number = trial.search["name"], called(trial.row)
    data = wanted.data or (DATA if trial.search["evaluator"] == "table" else trial.search["data"])
    training = prepare(trial.search["space"], f"{search}:{number}", data, db=named(db), **wanted.anew)
    told = [training.facts()[name] for name in ("settings", "options", "data", "recipe")]
    digest = hashlib.sha256(written.dumps(told, sort_keys=True, default=str).encode()).hexdigest()[:8]
    # a name of what is trained: the same command goes on with it, and does not train again what is trained
    known_as = f"{search}-retrained-{digest}"
    shown = listener()
    with resumable(shown, line):
        run = conduct(replace(training, name=known_as), named(db), shown, line)
    found = {"search": search, "trial": number, "settings": trial.settings}
    return run.best, {"searched_at": {**found, "params": trial.params, "macs": trial.macs, "values": trial.values}}


def _told(made: "Exported") -> None:
    from nasengine.exporters.card import measured_words

    measured = made.facts.get("held_out")
    _table(made.checks, measured and measured["value"].replace("_", " "))
    batches = ", ".join(map(str, made.checks[0].differences))
    say(f"\nparity {made.parity:.1e}: the largest difference, relative to the output, at batch {batches}")
    if measured:
        say(measured_words(made.facts))
    say(f"{number(made.params)} parameters, {number(made.macs)} multiply-adds an image")
    say(f"written into {made.folder}: {', '.join(path.name for path in made.files)}")


def _table(checks: "Sequence[Check]", value: str | None) -> None:
    """A row for every format: its files, what it took, and how it compares."""
    columns = ["format", "files", "size", "time", "difference", "allowed"]
    shown = value is not None and all(check.after is not None for check in checks)
    if shown:
        columns += [f"{value} before", "after"]
    rows = [
        [
            *(check.format, ", ".join(check.files), f"{check.bytes / 1000:,.0f} kB", duration(check.seconds)),
            *(f"{check.difference:.1e}", f"{check.tolerance:.0e}"),
            *((number(check.before), number(check.after)) if shown else ()),
        ]
        for check in checks
    ]
    table(columns, rows, right=columns[2:])
