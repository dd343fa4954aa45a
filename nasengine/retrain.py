"""Trains one architecture that is known, as a search trains the network that it chose: once for each seed."""

import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from nasengine import plugins
from nasengine.engine import seen_by_optuna
from nasengine.errors import NasError, TrainingError
from nasengine.executors._worker import checkpoint_of
from nasengine.job import Job
from nasengine.ledger import DEFAULT, Ledger, SearchRecord
from nasengine.ledger import Trial as TrialStart
from nasengine.ledger.environment import environment
from nasengine.listener import Listener
from nasengine.plan import OF_THE_DATA, space_for
from nasengine.runs import Run, picks_of, run_folder
from nasengine.space import Architecture, Space
from nasengine.training import data as data_sets
from nasengine.training.recipe import Recipe, recipe


@dataclass(frozen=True)
class Training:
    """One architecture to be trained, once for each seed; checked."""

    space: Space
    space_name: str
    architecture: Architecture
    data_name: str
    dataset: data_sets.Dataset
    recipe: Recipe
    seed: int
    seeds: int
    limit: int | None
    name: str | None
    strategy_name: str = "train"

    def facts(self) -> dict[str, Any]:
        """What the ledger keeps of it; more seeds under the same name go on with it."""
        return {
            "space": self.space_name,
            "settings": dict(self.space.settings),
            "decisions": self.space.decisions,
            "strategy": self.strategy_name,
            "options": {"architecture": self.architecture.to_json()},
            "evaluator": "train",
            "data": self.data_name,
            "data_fingerprint": self.dataset.fingerprint,
            "recipe": {"final": self.recipe.to_json()},
            "seed": self.seed,
            "epochs": self.recipe.epochs,
            "trials": self.seeds,
        }

    def job(self, number: int) -> Job:
        """The training under one seed."""
        return Job(
            number=number, space=self.space_name, settings=dict(self.space.settings),
            architecture=self.architecture.to_json(), evaluator="train", recipe=self.recipe.to_json(),
            data=self.data_name, fidelity={} if self.limit is None else {"limit": self.limit},
            seed=self.seed + number, final=True,
        )  # fmt: skip


def prepare(
    space: str,
    architecture: str | Architecture,
    data: Any = "digits",
    *,
    name: str | None = None,
    seeds: int = 1,
    seed: int = 0,
    limit: int | None = None,
    recipe_name: str = "final",
    recipe_values: Mapping[str, Any] | None = None,
    space_settings: Mapping[str, Any] | None = None,
    db: str | Path = DEFAULT,
) -> Training:
    """Check everything before anything is trained; raises a NasError naming the bad word and what is allowed.

    `architecture` is one, or a word for `nasengine.runs.picks_of`: then the settings it was published with hold,
    except where `space_settings` or the data say otherwise.
    """
    for flag, value in (("seeds", seeds), ("limit", limit)):
        if value is not None and value < 1:
            raise NasError(f"train: {flag} came as {value}; give a whole number of at least 1")
    made = recipe(recipe_name, **(recipe_values or {}))
    picks, published = (
        (architecture.picks, {}) if isinstance(architecture, Architecture) else picks_of(space, architecture, db)
    )
    dataset = data_sets.load(data, limit=limit)
    kept = {key: value for key, value in published.items() if key not in OF_THE_DATA}
    built = space_for(space, dataset, {**kept, **(space_settings or {})})
    data_name = str(data) if isinstance(data, str | Path) else dataset.name
    return Training(built, space, built.check(picks), data_name, dataset, made, seed, seeds, limit, name)


def train(
    space: str,
    architecture: str | Architecture,
    data: Any = "digits",
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


def conduct(training: Training, db: str | Path, listener: Listener, command: str | None = None) -> Run:
    """Train under every seed that is not there yet, each a final trial of its own."""
    ledger = Ledger(db, on_note=listener.note)
    facts = {**training.facts(), "environment": environment(torch.__version__)}
    with ledger.open_search(training.name, command=command or shlex.join(sys.argv), **facts) as record:
        listener.begin(record.name, training, record.resumed)
        rows = ledger.results(record.name)
        done = {row["trial"] for row in rows if row["kind"] == "final" and row["state"] == "complete"}
        with seen_by_optuna(ledger, record.name, listener):
            for number in range(training.seeds):
                if number not in done:
                    _train(training, number, run_folder(ledger, record.name), record, listener)
        record.finish()
    return Run(record.name, db)


def _train(training: Training, number: int, folder: Path, record: SearchRecord, listener: Listener) -> None:
    job = training.job(number)
    row = record.start(
        TrialStart(
            number, "final", architecture=job.architecture, seed=job.seed, recipe=job.recipe,
            lineage={"settings": job.settings},
        )
    )  # fmt: skip

    def on_epoch(job: Job, values: Mapping[str, Any]) -> None:
        record.epoch(row, values)
        listener.epoch("final", values)

    if training.seeds > 1:
        listener.note(f"seed {job.seed} ({number + 1} of {training.seeds})")
    listener.phase("final", training.recipe.epochs)
    made, folder = plugins.one_class("executor", "inline"), folder / f"seed-{job.seed}"
    with made(folder, dataset=training.dataset, on_epoch=on_epoch) as executor:
        executor.submit(job)
        _, result = executor.next()
    record.record(replace(result, epochs=[]), kind="final")  # its epochs are there already
    checkpoint_of(folder, job).unlink(missing_ok=True)
    if result.error is not None:
        raise TrainingError(f"training {record.name}, seed {job.seed}: {result.error}")
