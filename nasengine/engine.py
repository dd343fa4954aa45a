"""Runs a plan from start to finish: search, final training, export; every step lands in the results database."""

import math
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from nasengine import plugins
from nasengine.bookkeeping import Bookkeeping, TableBookkeeping
from nasengine.early_stopping import STOPPED
from nasengine.errors import NasError, TrainingError
from nasengine.executors._cost import measured
from nasengine.executors._storage import Storage, is_url
from nasengine.interpreters.cost import cost as count_cost
from nasengine.interpreters.digest import digest
from nasengine.interpreters.weights import save_weights
from nasengine.interrupt import Interrupt
from nasengine.job import Job, Result
from nasengine.ledger import DEFAULT, Ledger, SearchRecord
from nasengine.ledger import Trial as TrialStart
from nasengine.ledger.queries import value_of
from nasengine.listener import Listener
from nasengine.plan import make
from nasengine.plan_supernet import trust
from nasengine.planned import Plan
from nasengine.portrait import portrait
from nasengine.runs import Run, run_folder, writable
from nasengine.search import relay
from nasengine.search.propose import Executor, propose
from nasengine.search.relax import Relaxed, relax
from nasengine.search.room import batch_that_fits
from nasengine.space import EVERYTHING, Architecture
from nasengine.surroundings import surroundings
from nasengine.together import relax_together
from nasengine.training.balance import imbalance_words
from nasengine.training.fit import pick_device

SUPERNET = -1  # its number among running jobs; candidates begin with 0


def search(
    space: str | None = None,
    strategy: str = "pr-darts",
    data: Any = None,
    *,
    db: str | Path = DEFAULT,
    listener: Listener | None = None,
    command: str | None = None,
    **words: Any,
) -> Run:
    """Search for a network, train what is found, and leave it in the results database and beside it.

    Takes everything that `nasengine.plan.make` does (name, trials, epochs, hours, seed, …). The same call with the
    same `name` goes on where an earlier one stopped. Raises NasError for anything a user can mend.
    """
    return conduct(make(space, strategy, data, db=db, **words), db, listener or Listener(), command)


def conduct(plan: Plan, db: str | Path, listener: Listener, command: str | None = None) -> Run:
    """Run a plan to its end, and return what it left."""
    ledger = Ledger(db, on_note=listener.note)
    facts = {**plan.facts(), "decisions": plan.space.decisions, "environment": surroundings()}
    facts["warm_start"] = relay.counts(ledger, plan.name, plan.warm_start)
    interrupt = Interrupt(lambda: listener.note("finishing what runs, then stopping; Ctrl-C again stops at once"))
    with interrupt, ledger.open_search(plan.name, command=command or shlex.join(sys.argv), **facts) as record:
        listener.begin(record.name, plan, record.resumed)
        if plan.dataset is not None and (uneven := imbalance_words(plan.dataset)):
            listener.note(uneven)
        conducted = _Conduct(plan, ledger, record, listener, interrupt)
        view = nullcontext() if plan.table is not None else seen_by_optuna(ledger, record.name, listener)
        with conducted.executor() as executor, view:
            conducted.run(executor)
        if plan.is_sampler:
            listener.note(f"the supernet is trained; search it: {next_search(record.name, db)}")
        elif plan.table is not None:
            listener.note(f"table {plan.data_name} answered: no network was trained, so none is exported")
        else:
            exported = Run(record.name, db).best.export(conducted.folder / "best")
            listener.note(f"the network is in {exported.folder}: it needs torch alone (parity {exported.parity:.1e})")
        record.finish()
    return Run(record.name, db)


def next_search(name: str, db: str | Path) -> str:
    """The command that searches a trained supernet."""
    where = "" if db == DEFAULT else f" --db {shlex.quote(str(db))}"
    return f"nasengine search --strategy evolution --supernet {shlex.quote(name)}{where} --trials 200"


def starts(plan: Plan, architecture: Architecture, file: Path) -> dict[str, list[str]]:
    """What a network begins its training with, by place: its weights in the plan's supernet, cut out into a file."""
    from nasengine.evaluators.inherit import supernet_of

    job = replace(plan, final_by="inherit").job(0, architecture)
    child = supernet_of(job, plugins.load_space(job.space, job.settings)).network(architecture)
    save_weights(child, file)
    return {place: [str(file), place] for place, layer in child.layers() if layer.state_dict()}


@contextmanager
def seen_by_optuna(ledger: Ledger, name: str, listener: Listener) -> Iterator[None]:
    """Optuna's view of the search, kept up to date while it runs; what goes wrong in it never ends the search."""
    from nasengine.ledger.live_view import OptunaView

    view = OptunaView(ledger, name, portrait)
    try:
        yield
    finally:
        view.close()
        if view.error is not None:
            listener.note(view.error)


class _Conduct:
    def __init__(self, plan: Plan, ledger: Ledger, record: SearchRecord, listener: Listener, interrupt: Interrupt):
        self.plan, self.ledger, self.record, self.listener = plan, ledger, record, listener
        self.interrupt = interrupt
        self.folder = run_folder(ledger, record.name, plan.terms.files)
        if plan.table is None:
            writable(self.folder)
        self.deadline = math.inf if plan.hours is None else time.monotonic() + plan.hours * 3600
        self.books = (Bookkeeping if plan.table is None else TableBookkeeping)(plan, ledger, record, listener)

    def run(self, executor: Executor) -> None:
        """Search, unless that was done before, and train what is chosen; Ctrl-C ends it between the two."""
        found = self.gradient() if self.plan.is_gradient else self.proposals(executor)
        self.interrupt.stop_if_asked()
        if not self.plan.is_sampler:
            self.final(executor, *found)

    def time_is_up(self) -> bool:
        """Whether the budget of time is spent: running candidates are ended after their epoch."""
        of_gpus = math.inf if self.plan.gpu_hours is None else self.plan.gpu_hours * 3600
        return time.monotonic() > self.deadline or self.books.spent.gpu_seconds() >= of_gpus

    def out_of_time(self) -> bool:
        """Whether nothing new is to be begun."""
        return self.interrupt.asked or self.time_is_up()

    def done(self, kind: str, number: int) -> dict[str, Any] | None:
        """The complete trial of this kind and number that an earlier run left."""
        wanted = (kind, number, "complete")
        rows = self.ledger.results(self.record.name)
        return next((row for row in rows if (row["kind"], row["trial"], row["state"]) == wanted), None)

    def gradient(self) -> tuple[Architecture, int]:
        """Train the supernet, unless that was done before, and settle on an architecture."""
        known = self.done("supernet", 0)
        if known is not None:
            self.listener.note("the supernet was trained before")
            return Architecture.from_json(known["architecture"]), 0
        plan, space = self.plan, self.plan.supernet_space
        assert space is not None and plan.supernet is not None
        self.listener.phase("supernet", plan.supernet.epochs)
        start = TrialStart(
            0, "supernet", seed=plan.seed, recipe=plan.supernet.to_json(), lineage={"settings": dict(space.settings)}
        )
        row = self.record.start(start)

        def on_epoch(values: Mapping[str, Any], gates: Mapping[str, Any]) -> None:
            self.record.epoch(row, values, gates)
            self.listener.epoch("supernet", values)

        began, gpus = time.monotonic(), plan.workers * plan.terms.gpus_per_worker or float(torch.cuda.is_available())
        self.books.spent.begin(SUPERNET, gpus)
        checkpoint = self.folder / "checkpoints" / "supernet.pt"
        with measured(gpus=gpus) as cost:
            found = self.relaxed(checkpoint, on_epoch)
        self.interrupt.stop_if_asked()
        size = count_cost(space, EVERYTHING)
        own = {f"strategy.{number}": one for number, one in enumerate(found.parameters)} if plan.is_sampler else {}
        weights = save_weights(found.model, self.folder / "weights" / "supernet.safetensors", own)
        kept = Storage(str(plan.terms.files), self.folder).keep(weights) if is_url(plan.terms.files) else str(weights)
        if plan.workers > 1:
            del cost["core_seconds"]  # of this process, which only looked on
        result = Result(
            0, found.architecture.to_json(), digest(space, found.architecture), found.values, size.params,
            size.macs, time.monotonic() - began, kept, cost=cost,
        )  # fmt: skip
        self.record.record(result, kind="supernet")
        self.books.spent.end(SUPERNET, result)
        checkpoint.unlink(missing_ok=True)
        return found.architecture, 0

    def relaxed(self, checkpoint: Path, on_epoch: Callable[..., None]) -> Relaxed:
        """Gates and weights learned in turns: here, or by several processes on a cluster."""
        plan, space = self.plan, self.plan.supernet_space
        assert space is not None and plan.supernet is not None
        words: dict[str, Any] = {
            "seed": plan.seed, "policy": plan.policy, "checkpoint": checkpoint, "on_epoch": on_epoch,
            "on_note": self.listener.note, "out_of_time": self.out_of_time,
        }  # fmt: skip
        if plan.workers > 1:
            return relax_together(
                space, plan.data, plan.supernet, space_name=plan.space_name, strategy_name=plan.strategy_name,
                strategy_options=plan.strategy_options, terms=plan.terms, **words,
            )  # fmt: skip
        with torch.random.fork_rng():
            torch.manual_seed(plan.seed)
            relaxation = plan.strategy()
        fits = batch_that_fits(relaxation, plan.supernet, pick_device("auto"), self.listener.note)
        return relax(space, relaxation, plan.data, plan.supernet, device="auto", batch_for=fits, **words)

    def proposals(self, executor: Executor) -> tuple[Architecture, int]:
        """Let the strategy propose and the executor train, then choose the best candidate."""
        plan = self.plan
        if plan.inherited is not None:
            self.listener.note(trust(self.ledger, plan.inherited.search))
        self.listener.phase("candidates", plan.trials)
        warm = relay.results(
            self.ledger, self.record.facts["warm_start"] or {}, plan.space, plan.goal, self.listener.note
        )
        with plugins.blaming("strategy", plan.strategy_name):
            ended = propose(
                plan.strategy(), executor, self.books, job_for=plan.job, trials=plan.trials, seed=plan.seed,
                goal=plan.goal, warm=warm, order=plan.order, workers=plan.workers, out_of_time=self.out_of_time,
            )  # fmt: skip
        self.interrupt.stop_if_asked()
        if not ended:
            self.listener.note(f"strategy {plan.strategy_name} has nothing more to propose in this space")
        rows = self.ledger.results(self.record.name)
        measured = [row for row in rows if row["kind"] == "candidate" and value_of(row) is not None]
        # where time ran out before one was complete, the best of those ended early is better than none
        measured = [row for row in measured if row["stopped"] is None] or measured
        if not measured:
            errors = [row["error"] for row in rows if row["error"]]
            raise TrainingError(
                f"search {self.record.name}: not one candidate could be trained; the first error was: "
                f"{errors[0] if errors else 'none, the budget ended before the first result'}"
            )
        best = max(measured, key=value_of)
        return Architecture.from_json(best["architecture"]), best["trial"]

    def final(self, executor: Executor, architecture: Architecture, number: int) -> None:
        """Train the chosen network on all but the test data, and measure it once on that; then leave it as source."""
        if self.done("final", number) is None:
            plan = self.plan
            if plan.table is None:
                self.listener.phase("final", plan.final.epochs)
            job, start = plan.job(number, architecture, final=True), self.folder / "weights" / "start.safetensors"
            if plan.final_by == "finetune":
                job = replace(job, inherit=starts(plan, architecture, start))
            self.books.start(job)
            executor.submit(job)
            _, result = executor.next()
            start.unlink(missing_ok=True)
            self.record.record(replace(result, epochs=[]), kind="final")  # its epochs are there already
            self.books.done(job, result)
            if result.error is not None:
                raise TrainingError(f"final training of {self.record.name}: {result.error}")
        else:
            self.listener.note("the chosen network was trained before")

    def executor(self) -> Any:
        """Where jobs run; a context manager. Where there is no such place, nothing has begun."""
        plan = self.plan
        made = plugins.one_class("executor", plan.executor)
        try:
            return made(self.folder, plan.terms, dataset=plan.dataset, on_epoch=self.on_epoch, on_note=self.books.fault)
        except NasError:
            self.record.discard()
            raise

    def on_epoch(self, job: Job, values: Mapping[str, Any]) -> bool:
        """Note an epoch, and say whether the training is to be ended after it."""
        stopper = None if job.final else self.books.stopper
        stop = stopper is not None and stopper.judge(job.number, values)
        self.record.epoch(self.books.rows[job.number], {**values, STOPPED: 1.0} if stop else values)
        self.listener.epoch("final" if job.final else "candidates", values)
        return stop or (not job.final and self.time_is_up())
