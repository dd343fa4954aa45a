"""Measures and trains a sample of networks, and records both: what is there already is not done again."""

import shlex
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from nasengine import plugins
from nasengine.bench.agreement import LEAST
from nasengine.engine import seen_by_optuna
from nasengine.errors import TrainingError
from nasengine.executors._worker import checkpoint_of
from nasengine.fidelity.report import KINDS, Fidelity, Kind, fidelity_of
from nasengine.fidelity.sample import Sample
from nasengine.interrupt import Interrupt
from nasengine.job import Job, Result
from nasengine.ledger import Ledger, SearchRecord
from nasengine.ledger import Trial as TrialStart
from nasengine.listener import Listener
from nasengine.runs import run_folder
from nasengine.surroundings import surroundings
from nasengine.training.tasks import task_of


def conduct(sample: Sample, db: str | Path, listener: Listener, command: str | None = None) -> Fidelity:
    """Measure and train what is not there yet, each network recorded as two trials, and compare them.

    What failed before is tried again. Raises TrainingError where fewer than three networks have both values.
    """
    ledger = Ledger(db, on_note=listener.note)
    facts = {**sample.facts(), "environment": surroundings()}
    interrupt = Interrupt(lambda: listener.note("finishing what runs, then stopping; Ctrl-C again stops at once"))
    with (
        interrupt,
        ledger.open_search(sample.name, command=command or shlex.join(sys.argv), **facts) as record,
        seen_by_optuna(ledger, record.name, listener),
    ):
        listener.begin(record.name, sample, record.resumed)
        work = _Work(sample, ledger, record, listener)
        for kind in KINDS:
            for number in work.missing(kind):
                interrupt.stop_if_asked()
                work.one(number, kind)
        interrupt.stop_if_asked()
        told = fidelity_of(ledger, record.name)
        if told.agreement.samples < LEAST:
            raise TrainingError(f"fidelity {record.name}: {work.first_error or 'too few networks have both values'}")
        record.finish()
    return told


class _Work:
    """The trials of a sample, one after the other in this process."""

    def __init__(self, sample: Sample, ledger: Ledger, record: SearchRecord, listener: Listener):
        self.sample, self.ledger, self.record, self.listener = sample, ledger, record, listener
        self.folder, self.first_error, self.row = run_folder(ledger, record.name), "", 0
        self.done = {(row["kind"], row["trial"]): row for row in ledger.results(record.name)}

    def missing(self, kind: Kind) -> list[int]:
        """The networks without a value of this kind; the listener hears what is going to be done, and what was."""
        numbers = range(len(self.sample.architectures))
        done = [n for n in numbers if (kind, n) in self.done and self.done[kind, n]["state"] == "complete"]
        left = f"{len(numbers) - len(done)} of {len(numbers)} networks"
        if kind == "inherited":
            self.listener.note(f"{left} are measured with the weights of {self.sample.supernet.search}")
        else:
            self.listener.phase("candidates", len(numbers))
            self.listener.note(f"{left} are trained for {self.sample.recipe.epochs} epochs")
            for n in done:
                row = self.done[kind, n]
                self.listener.recall(Result(n, row["architecture"], values=row["values"]))
        return [n for n in numbers if n not in done]

    def one(self, number: int, kind: Kind) -> None:
        """One trial, from start to record; an equal training of any search answers for it."""
        job = self.sample.job(number, kind)
        trained = kind == "candidate"
        key = self.sample.key(job) if trained else None
        known = self.ledger.find_reusable(key) if key is not None else None
        start = TrialStart(
            number, kind, architecture=job.architecture, seed=job.seed, recipe=job.recipe if trained else None,
            lineage={"settings": job.settings, **({} if trained else {"weights_of": self.sample.supernet.search})},
            reuse_key=key,
        )  # fmt: skip
        self.row = self.record.start(start)
        if known is None:
            result = replace(self._run(job), epochs=[])  # its epochs are there already
            origin: dict[str, Any] = {}
        else:
            result, origin = replace(known.result, number=number), {"reused_from": known.trial_id}
        self.record.record(result, kind=kind, value=result.values.get(task_of(self.sample.dataset).figure), **origin)
        checkpoint_of(self.folder, job).unlink(missing_ok=True)
        self.first_error = self.first_error or result.error or ""
        if trained:
            self.listener.result(result, None if known is None else f"{known.search}, trial {known.number}")
        elif result.error:
            self.listener.note(f"network {number} could not be measured: {result.error}")

    def _run(self, job: Job) -> Result:
        made = plugins.one_class("executor", "inline")
        with made(self.folder, dataset=self.sample.dataset, on_epoch=self._hear) as executor:
            executor.submit(job)
            result: Result = executor.next()[1]
        return result

    def _hear(self, job: Job, values: Mapping[str, Any]) -> None:
        self.record.epoch(self.row, values)
        self.listener.epoch("candidates", values)
