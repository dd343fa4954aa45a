"""What a search writes down while it proposes: into the results database, and to whoever listens."""

import time
from dataclasses import replace
from functools import lru_cache
from typing import Literal

from nasengine.early_stopping import stopper_of
from nasengine.executors._storage import Storage, is_url
from nasengine.executors._worker import checkpoint_of
from nasengine.interpreters.digest import digest, layers_fingerprint
from nasengine.job import Job, Result, reuse_key
from nasengine.ledger import Ledger, SearchRecord
from nasengine.ledger import Trial as TrialStart
from nasengine.ledger.queries import FAULT
from nasengine.listener import Listener
from nasengine.planned import Plan
from nasengine.runs import run_folder
from nasengine.search.propose import History, told_of
from nasengine.search.strategy import Remark
from nasengine.space import Architecture, Space


class Spent:
    """The seconds of GPUs that a search has used, in all its runs and by what runs now."""

    def __init__(self, gpus_per_worker: float, ledger: Ledger, name: str):
        self.share = gpus_per_worker
        self.before = sum(row["cost"].get("gpu_seconds", 0.0) for row in ledger.results(name))
        self.running: dict[int, tuple[float, float]] = {}  # job -> since when, on how many GPUs

    def begin(self, number: int, gpus: float | None = None) -> None:
        self.running[number] = time.monotonic(), self.share if gpus is None else gpus

    def end(self, number: int, result: Result) -> None:
        self.running.pop(number, None)
        self.before += result.cost.get("gpu_seconds", 0.0)

    def gpu_seconds(self) -> float:
        """Those of ended jobs as they were measured, those of running ones by the clock."""
        now = time.monotonic()
        return self.before + sum(gpus * (now - began) for began, gpus in self.running.values())


class Bookkeeping:
    """The record of the ask/tell loop: every step is in the database before it counts, and the listener hears of it."""

    def __init__(self, plan: Plan, ledger: Ledger, record: SearchRecord, listener: Listener):
        self.plan, self.ledger, self.record, self.listener = plan, ledger, record, listener
        self.rows: dict[int, int] = {}  # number of a running job -> its row
        self.proposed = 0
        self.unrecorded: set[int] = set()  # proposals that are written down together with what comes of them
        self.spent = Spent(plan.terms.gpus_per_worker, ledger, record.name)
        self.folder = run_folder(ledger, record.name, plan.terms.files)
        self.stopper = stopper_of(plan, ledger, record.name)

    def history(self) -> History:
        """What an earlier run of this search left."""
        left = self.ledger.replay(self.record.name)
        opened = [(number, Architecture.from_json(picks)) for number, picks in left.open]
        self.proposed = len(left.told) + len(left.waiting) + len(opened)
        if left.told or opened:
            self.listener.note(f"going on after {len(left.told)} results; {len(opened)} open proposals run again")
        for result in (*left.told, *left.waiting):
            self.listener.recall(result)
        rows = self.ledger.remarks(self.record.name)
        said = [Remark(row["kind"], row["text"], row["values"] or {}) for row in rows if row["kind"] != FAULT]
        return History(left.told, left.waiting, opened, said)

    def remark(self, number: int, remark: Remark) -> None:
        self.record.remark(number, remark.kind, remark.text, remark.values)
        if remark.kind in ("note", "warning"):
            self.listener.note(f"{self.plan.strategy_name}: {remark.text}")

    def fault(self, text: str) -> None:
        """Something happened to a worker or to a job's answer."""
        self.record.remark(self.proposed, FAULT, text, {})
        self.listener.note(text)

    def propose(self, number: int, architecture: Architecture) -> None:
        self.unrecorded.add(number)
        self.proposed = number + 1

    def record_proposal(self, job: Job) -> None:
        """Write a proposal down that will not be started."""
        if job.number in self.unrecorded:
            self.record.propose(job.number, job.architecture)
            self.unrecorded.remove(job.number)

    def key(self, job: Job) -> str:
        """Equal work has an equal key: same network, recipe, data, seed and way of training."""
        architecture, space = Architecture.from_json(job.architecture), self.plan.space
        way = {**job.fidelity, "settings": job.settings, "evaluator": job.evaluator}
        recipe = {**job.recipe, **space.recipe_of(architecture)}
        network, layers = _identity(space, architecture)
        return reuse_key(
            digest=network, layers=layers, recipe=recipe,
            data=self.plan.data.fingerprint, seed=job.seed, fidelity=way,
        )  # fmt: skip

    def may_be_reused(self, job: Job) -> bool:
        """Whether an equal job would have an equal result."""
        return not (job.final or job.inherit)

    def known(self, job: Job) -> Result | None:
        refused = self.infeasible(job)
        if refused is not None:
            return refused
        ask = self.plan.reuse and self.may_be_reused(job)
        found = self.ledger.find_reusable(self.key(job)) if ask else None
        if found is None:
            return None
        known = {**found.result.to_json(), "number": job.number, "architecture": job.architecture}
        known["values"] = {**known["values"], **job.figures}  # measured now, and perhaps not then
        result = Result.from_json(known)
        if not job.final and told_of(result, self.plan.goal).error:
            return None  # it does not say what this search compares by
        value = self.value_of(result)
        self.record_proposal(job)
        self.record.record(result, reuse_key=self.key(job), reused_from=found.trial_id, value=value)
        self.listener.result(result, f"{found.search}, trial {found.number}")
        return result

    def infeasible(self, job: Job) -> Result | None:
        """The result of a job whose figures, measured before its training, break a bound: it is not trained."""
        if job.final or self.plan.goal.reward != "constraint":
            return None
        broken = [
            f"{one.name} is {job.figures[one.name]:g}, the bound {one.bound:g}"
            for one in self.plan.goal.objectives
            if one.bound is not None and job.figures.get(one.name, 0.0) > one.bound
        ]
        if not broken:
            return None
        result = Result(
            job.number, job.architecture, values=dict(job.figures), error=f"infeasible: {', '.join(broken)}"
        )
        self.record_proposal(job)
        self.record.record(result)
        self.listener.result(result, None)
        return result

    def start(self, job: Job) -> None:
        kind, chosen = ("final", {"chosen_from": job.number}) if job.final else ("candidate", {})
        lineage = {"settings": job.settings, **chosen, **({"inherit": job.inherit} if job.inherit else {})}
        start = TrialStart(
            job.number, kind, architecture=job.architecture, seed=job.seed, recipe=job.recipe,
            lineage=lineage, reuse_key=self.key(job) if self.may_be_reused(job) else None,
        )  # fmt: skip
        proposed = not job.final and job.number in self.unrecorded
        self.rows[job.number] = self.record.start(start, proposed=proposed)
        self.unrecorded.discard(job.number)
        self.spent.begin(job.number)

    def value_of(self, result: Result) -> float | None:
        """The number by which candidates are compared."""
        return told_of(result, self.plan.goal).value

    def result(self, job: Job, result: Result, order: int | None = None) -> None:
        # its epochs are there already
        self.record.record(replace(result, epochs=[]), order, value=self.value_of(result))
        self.done(job, result)
        self.listener.result(result, None)

    def done(self, job: Job, result: Result) -> None:
        """A result is recorded: its checkpoint has served."""
        self.rows.pop(job.number, None)
        self.spent.end(job.number, result)
        if self.stopper is not None and not job.final:
            self.stopper.end(job.number, _how(result), result.values.get(self.plan.stop_by))
        checkpoint = checkpoint_of(self.folder, job)
        checkpoint.unlink(missing_ok=True)
        if is_url(self.plan.terms.files):
            Storage(str(self.plan.terms.files), self.folder).drop(checkpoint)

    def tell(self, result: Result, order: int) -> None:
        self.record.tell(result.number, order)


@lru_cache(maxsize=64)  # a job's key is asked for two or three times in a row
def _identity(space: Space, architecture: Architecture) -> tuple[str, str]:
    return digest(space, architecture), layers_fingerprint(space, architecture)


def _how(result: Result) -> Literal["complete", "stopped", "failed"]:
    if result.error is not None:
        return "failed"
    return "complete" if result.stopped is None else "stopped"


class TableBookkeeping(Bookkeeping):
    """On a table an answer takes no time, so that a proposal, its answer and its telling are one entry.

    What is cut off in between is proposed again: it follows from the seed and from what was told before. A row is
    never answered from another search: rows differ where networks do not.
    """

    def propose(self, number: int, architecture: Architecture) -> None:
        """Nothing yet."""

    def may_be_reused(self, job: Job) -> bool:
        return False

    def start(self, job: Job) -> None:
        """Nothing, unless it is the chosen network."""
        if job.final:
            super().start(job)

    def result(self, job: Job, result: Result, order: int | None = None) -> None:
        if order is not None:
            self.tell(result, order)
        self.listener.result(result, None)

    def tell(self, result: Result, order: int) -> None:
        self.record.answer(result, order, value=self.value_of(result))
