"""Trains architectures that are known, as a search trains the network that it chose: each once for each seed."""

import json
import shlex
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from nasengine import plugins
from nasengine.engine import seen_by_optuna
from nasengine.errors import TrainingError
from nasengine.executors._worker import checkpoint_of
from nasengine.job import Job
from nasengine.ledger import DEFAULT, Ledger, SearchRecord
from nasengine.ledger import Trial as TrialStart
from nasengine.listener import Listener
from nasengine.plan import DATA
from nasengine.retrain_plan import Training, prepare, prepare_top
from nasengine.runs import Run, run_folder
from nasengine.space import Architecture
from nasengine.surroundings import surroundings


def train(
    space: str,
    architecture: str | Architecture,
    data: Any = DATA,
    *,
    db: str | Path = DEFAULT,
    listener: Listener | None = None,
    command: str | None = None,
    **words: Any,
) -> Run:
    """Train one architecture on all but the test data, measure it once on that, and record it; takes what prepare does.

    Raises NasError for anything a user can mend, and TrainingError where a training fails.
    """
    return conduct(prepare(space, architecture, data, db=db, **words), db, listener or Listener(), command)


def train_top(
    search: str,
    data: Any = None,
    *,
    db: str | Path = DEFAULT,
    listener: Listener | None = None,
    command: str | None = None,
    **words: Any,
) -> Run:
    """The same for the best networks of a search (`count`, 3), under several seeds (3); takes what prepare_top does."""
    return conduct(prepare_top(search, data, db=db, **words), db, listener or Listener(), command)


def conduct(training: Training, db: str | Path, listener: Listener, command: str | None = None) -> Run:
    """Train what is not there yet, each a final trial of its own; raises TrainingError at the end where one failed."""
    ledger = Ledger(db, on_note=listener.note)
    facts = {**training.facts(), "environment": surroundings()}
    with ledger.open_search(training.name, command=command or shlex.join(sys.argv), **facts) as record:
        listener.begin(record.name, training, record.resumed)
        for text in training.notes:
            listener.note(text)
        with seen_by_optuna(ledger, record.name, listener):
            errors = _Work(training, ledger, record, listener).all()
        if errors:
            raise TrainingError("\n".join(errors))
        record.finish()
    return Run(record.name, db)


class _Work:
    """The trainings of one record, one after the other in this process."""

    def __init__(self, training: Training, ledger: Ledger, record: SearchRecord, listener: Listener):
        self.training, self.record, self.listener = training, record, listener
        self.folder = run_folder(ledger, record.name)
        rows = [row for row in ledger.results(record.name) if row["kind"] == "final"]
        self.known = {_key(row["architecture"], row["seed"]): row for row in rows}
        self.free = max((row["trial"] for row in rows), default=-1) + 1

    def all(self) -> list[str]:
        """Train what is missing; what failed, in words."""
        errors = []
        pairs = list(self.training.pairs())
        for count, (place, candidate, seed) in enumerate(pairs, 1):
            row = self.known.get(_key(candidate.architecture.to_json(), seed))
            if row is not None and row["state"] == "complete":
                continue
            number = self.free if row is None else row["trial"]
            self.free += row is None
            origin = self.training.lineage(place, candidate)
            if len(pairs) > 1:
                whose = f"{origin['retrained_from']}, " if "retrained_from" in origin else ""
                self.listener.note(f"{whose}seed {seed} ({count} of {len(pairs)})")
            error = self._one(self.training.job(number, candidate, seed), origin)
            errors += [f"training {self.record.name}, final-{number}, seed {seed}: {error}"] if error else []
        return errors

    def _one(self, job: Job, lineage: Mapping[str, Any]) -> str | None:
        """Train one architecture under one seed, from its last whole epoch on; what went wrong, if anything did."""
        start = TrialStart(
            job.number, "final", architecture=job.architecture, seed=job.seed, recipe=job.recipe, lineage=lineage
        )
        row = self.record.start(start)

        def on_epoch(job: Job, values: Mapping[str, Any]) -> None:
            self.record.epoch(row, values)
            self.listener.epoch("final", values)

        self.listener.phase("final", self.training.recipe.epochs)
        folder = self.folder / (f"seed-{job.seed}" if self.training.source is None else f"final-{job.number}")
        made = plugins.one_class("executor", "inline")
        with made(folder, dataset=self.training.dataset, on_epoch=on_epoch) as executor:
            executor.submit(job)
            _, result = executor.next()
        self.record.record(replace(result, epochs=[]), kind="final")  # its epochs are there already
        checkpoint_of(folder, job).unlink(missing_ok=True)
        error: str | None = result.error
        return error


def _key(architecture: Mapping[str, Any], seed: int) -> str:
    return f"{seed} {json.dumps(architecture, sort_keys=True)}"
