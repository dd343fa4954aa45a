"""What a search writes down while it proposes: into the results database, and to whoever listens."""

from dataclasses import replace

from nasengine.interpreters.digest import digest, layers_fingerprint
from nasengine.job import Job, Result, reuse_key
from nasengine.ledger import Ledger, SearchRecord
from nasengine.ledger import Trial as TrialStart
from nasengine.listener import Listener
from nasengine.plan import Plan
from nasengine.search.propose import History, told_of
from nasengine.search.strategy import Remark
from nasengine.space import Architecture


class Bookkeeping:
    """The record of the ask/tell loop: every step is in the database before it counts, and the listener hears of it."""

    def __init__(self, plan: Plan, ledger: Ledger, record: SearchRecord, listener: Listener):
        self.plan, self.ledger, self.record, self.listener = plan, ledger, record, listener
        self.rows: dict[int, int] = {}  # number of a running job -> its row

    def history(self) -> History:
        """What an earlier run of this search left."""
        left = self.ledger.replay(self.record.name)
        opened = [(number, Architecture.from_json(picks)) for number, picks in left.open]
        if left.told or opened:
            self.listener.note(f"going on after {len(left.told)} results; {len(opened)} open proposals run again")
        for result in (*left.told, *left.waiting):
            self.listener.recall(result)
        said = [Remark(row["kind"], row["text"], row["values"] or {}) for row in self.ledger.remarks(self.record.name)]
        return History(left.told, left.waiting, opened, said)

    def remark(self, number: int, remark: Remark) -> None:
        self.record.remark(number, remark.kind, remark.text, remark.values)
        if remark.kind in ("note", "warning"):
            self.listener.note(f"{self.plan.strategy_name}: {remark.text}")

    def propose(self, number: int, architecture: Architecture) -> None:
        self.record.propose(number, architecture.to_json())

    def key(self, job: Job) -> str:
        """Equal work has an equal key: same network, recipe, data, seed and way of training."""
        architecture, space = Architecture.from_json(job.architecture), self.plan.space
        way = {**job.fidelity, "settings": job.settings, "evaluator": job.evaluator}
        recipe = {**job.recipe, **space.recipe_of(architecture)}
        return reuse_key(
            digest=digest(space, architecture), layers=layers_fingerprint(space, architecture), recipe=recipe,
            data=self.plan.data.fingerprint, seed=job.seed, fidelity=way,
        )  # fmt: skip

    def may_be_reused(self, job: Job) -> bool:
        """Whether an equal job would have an equal result."""
        return not (job.final or job.inherit)

    def known(self, job: Job) -> Result | None:
        ask = self.plan.reuse and self.may_be_reused(job)
        found = self.ledger.find_reusable(self.key(job)) if ask else None
        if found is None:
            return None
        result = Result.from_json({**found.result.to_json(), "number": job.number, "architecture": job.architecture})
        value = self.value_of(result)
        self.record.record(result, reuse_key=self.key(job), reused_from=found.trial_id, value=value)
        self.listener.result(result, f"{found.search}, trial {found.number}")
        return result

    def start(self, job: Job) -> None:
        kind, chosen = ("final", {"chosen_from": job.number}) if job.final else ("candidate", {})
        lineage = {"settings": job.settings, **chosen, **({"inherit": job.inherit} if job.inherit else {})}
        start = TrialStart(
            job.number, kind, architecture=job.architecture, seed=job.seed, recipe=job.recipe,
            lineage=lineage, reuse_key=self.key(job) if self.may_be_reused(job) else None,
        )  # fmt: skip
        self.rows[job.number] = self.record.start(start)

    def value_of(self, result: Result) -> float | None:
        """The number by which candidates are compared."""
        return told_of(result, self.plan.goal).value

    def result(self, job: Job, result: Result) -> None:
        self.record.record(replace(result, epochs=[]), value=self.value_of(result))  # its epochs are there already
        self.listener.result(result, None)

    def tell(self, result: Result, order: int) -> None:
        self.record.tell(result.number, order)


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

    def result(self, job: Job, result: Result) -> None:
        self.listener.result(result, None)

    def tell(self, result: Result, order: int) -> None:
        self.record.answer(result, order, value=self.value_of(result))
