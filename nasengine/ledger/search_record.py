"""One search being written: its proposals before they are submitted, its trials, epochs and results as they come."""

from collections.abc import Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Select, Table, and_, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from nasengine.errors import LedgerError
from nasengine.job import Json, Result, plain
from nasengine.ledger.database import Database, upsert
from nasengine.ledger.lease import Lease
from nasengine.ledger.straight import Writing
from nasengine.ledger.tables import artifacts, epochs, gates, proposals, remarks, searches, trials

TRIAL_KEYS = ("search_id", "number", "kind")
# not `in`: for that SQLAlchemy writes the statement anew every time
UNFINISHED = (trials.c.state == "running") | (trials.c.state == "stopped")
NOT_COMPLETE = (trials.c.state != "complete") & (trials.c.state != "pruned")

_ADD_PROPOSAL = insert(proposals)
_ADD_REMARK = insert(remarks)
_TRIAL = and_(
    trials.c.search_id == bindparam("of"), trials.c.number == bindparam("at"), trials.c.kind == bindparam("as")
)
_PROPOSAL = and_(proposals.c.search_id == bindparam("of"), proposals.c.number == bindparam("at"))
_LINEAGE = select(trials.c.lineage).where(_TRIAL)
_ARCHITECTURE = select(trials.c.architecture).where(_TRIAL)
_PROPOSED = select(proposals.c.architecture).where(_PROPOSAL)
_TELL = update(trials).where(_TRIAL).values(told_order=bindparam("told_order"))
_CLOSE_PROPOSAL = update(proposals).where(_PROPOSAL).values(state="done")
_STOP_TRIALS = (
    update(trials).where(trials.c.search_id == bindparam("of"), trials.c.state == "running").values(state="stopped")
)
_END = update(searches).where(searches.c.id == bindparam("of")).values(state=bindparam("ended"))
_FORGET = delete(searches).where(searches.c.id == bindparam("of"))


def now() -> datetime:
    """Return the time as all tables hold it: UTC, without saying so."""
    return datetime.now(UTC).replace(tzinfo=None)


def state_of(result: Json) -> str:
    """Return how a trial with this result, in plain form, has ended."""
    if result["error"]:
        return "failed"
    return "complete" if result["stopped"] is None else "pruned"


@dataclass(frozen=True)
class Trial:
    """What is known of a trial before it runs; kind is candidate, supernet or final."""

    number: int
    kind: str = "candidate"
    architecture: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None
    recipe: Mapping[str, Any] | None = None
    lineage: Any = None
    reuse_key: str | None = None


class SearchRecord:
    """The one writer of one search, until it is finished or stopped; every call is one durable transaction.

    Where the database goes away in the middle, a call waits for it (see `Database`) and is done exactly once.

    As a context manager it ends as stopped when the block is left without `finish`, and as failed after an error.
    `resumed` says whether the search was there before. Every method raises LedgerError when another process has
    taken the search over.
    """

    def __init__(self, database: Database, lease: Lease, facts: Json, resumed: bool) -> None:
        self.id: int = facts["id"]
        self.name: str = facts["name"]
        self.facts = facts
        self.resumed = resumed
        self._database = database
        self._lease = lease
        self._dialect = database.engine.dialect.name
        self._ended = False

    def propose(self, number: int, architecture: Mapping[str, Any]) -> None:
        """Note a proposal, before it is submitted."""
        row = {"search_id": self.id, "number": number, "architecture": plain(architecture), "state": "open"}
        self._lease.write(lambda connection: self._add_proposal(connection, row))

    def start(self, trial: Trial, *, proposed: bool = False) -> int:
        """Note that a trial runs now, again after a crash; returns the row's id, for `epoch` and `artifact`.

        With `proposed` it is noted as a proposal as well, in the same transaction.
        """
        known = {name: plain(getattr(trial, name)) for name in ("architecture", "seed", "recipe", "lineage")}
        row = {**known, "reuse_key": trial.reuse_key, "state": "running", "started": now()}
        row |= {"error": None, "finished": None}
        proposal = {"search_id": self.id, "number": trial.number, "architecture": row["architecture"], "state": "open"}

        if self.resumed and not proposed:  # only then may it have run before
            before = self._look(_LINEAGE, {"of": self.id, "at": trial.number, "as": trial.kind})
            if before and "failed_before" in before:
                row["lineage"] = {**(row["lineage"] or {}), "failed_before": before["failed_before"]}

        def step(connection: Writing) -> int:
            if proposed:
                self._add_proposal(connection, proposal)
            return self._put_trial(connection, trial.number, trial.kind, row, NOT_COMPLETE)

        return self._lease.write(step)

    def epoch(self, trial_id: int, values: Mapping[str, Any], gates_now: Mapping[str, Any] | None = None) -> None:
        """Note one epoch of a running trial: `values` with its number under "epoch", and the gates' strengths."""
        key = {"trial_id": trial_id, "epoch": int(values["epoch"])}
        strengths = None if gates_now is None else {**key, "gates": plain(gates_now)}

        def step(connection: Writing) -> None:
            self._put_epoch(connection, trial_id, values)
            if strengths is not None:
                self._put(connection, gates, ("trial_id", "epoch"), strengths)

        self._lease.write(step)

    def record(
        self,
        result: Result,
        told_order: int | None = None,
        *,
        kind: str = "candidate",
        reuse_key: str | None = None,
        reused_from: int | None = None,
        value: float | None = None,
    ) -> int:
        """Note a trial's result, complete, pruned (ended early) or failed, started before or not; returns the row's id.

        `value` is the number by which candidates are compared, the larger the better.
        `told_order` is its place among the results told to the strategy; leave it out where that is not known yet
        and call `tell` then. Raises LedgerError when the trial already has a result.
        """
        facts = result.to_json()
        number = facts.pop("number")
        curve = facts.pop("epochs")
        row = {**facts, "told_order": told_order, "finished": now(), "value": plain(value)}
        row["state"] = state_of(facts)
        row |= {"reuse_key": reuse_key} if reuse_key else {}
        row |= {"reused_from": reused_from} if reused_from else {}

        def step(connection: Writing) -> int:
            trial_id = self._put_trial(connection, number, kind, row, UNFINISHED)
            for position, values in enumerate(curve):
                self._put_epoch(connection, trial_id, {"epoch": position, **values})
            if kind == "candidate":
                connection.execute(_CLOSE_PROPOSAL, {"of": self.id, "at": number})
            return trial_id

        return self._lease.write(step)

    def answer(self, result: Result, told_order: int, *, value: float | None = None) -> None:
        """Note a proposal, its result and its telling at once, where an answer takes no time."""
        facts = result.to_json()
        del facts["epochs"]
        number = facts.pop("number")
        row = {**facts, "state": state_of(facts), "finished": now(), "told_order": told_order, "value": plain(value)}
        proposal = {"search_id": self.id, "number": number, "architecture": row["architecture"], "state": "done"}

        def step(connection: Writing) -> None:
            self._put(connection, proposals, ("search_id", "number"), proposal)
            self._put_trial(connection, number, "candidate", row, UNFINISHED)

        self._lease.write(step)

    def tell(self, number: int, told_order: int) -> None:
        """Note when a candidate's result was told to the strategy."""
        row = {"of": self.id, "at": number, "as": "candidate", "told_order": told_order}
        self._lease.write(lambda connection: connection.execute(_TELL, row))

    def fail(self, number: int, error: str, told_order: int | None = None, *, kind: str = "candidate") -> int:
        """Note that a trial failed without a result of its own, as when its worker died; returns the row's id."""
        row = {"of": self.id, "at": number, "as": kind}
        picks = self._look(_ARCHITECTURE, row) or self._look(_PROPOSED, row) or {}
        return self.record(Result(number, picks, error=error), told_order, kind=kind)

    def remark(self, number: int, kind: str, text: str, values: Mapping[str, Any]) -> None:
        """Note what the strategy said after so many proposals."""
        row = {"search_id": self.id, "number": number, "kind": kind, "text": text, "values": plain(values)}
        row["created"] = now()
        self._lease.write(lambda connection: connection.execute(_ADD_REMARK, row))

    def artifact(self, trial_id: int, name: str, path: str) -> None:
        """Note a file that a trial left behind."""
        row = {"trial_id": trial_id, "name": name, "path": path}
        self._lease.write(lambda connection: self._put(connection, artifacts, ("trial_id", "name"), row))

    def finish(self) -> None:
        """End the search as complete and let go of it."""
        self._end("complete")

    def stop(self) -> None:
        """End the search as stopped, to be resumed under the same name, and let go of it."""
        self._end("stopped")

    def discard(self) -> None:
        """Forget a search that could not even begin, and let go of it; one that was there before stays, as stopped."""
        if self.resumed:
            self.stop()
            return
        self._ended = True
        try:
            self._lease.write(lambda connection: connection.execute(_FORGET, {"of": self.id}))
        finally:
            self._lease.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(LedgerError) if error else nullcontext():  # the first error is the one to be seen
            self._end("failed" if isinstance(error, Exception) else "stopped", patience=0.0 if error else None)

    def _end(self, state: str, patience: float | None = None) -> None:
        if self._ended:
            return
        self._ended = True

        def step(connection: Writing) -> None:
            connection.execute(_STOP_TRIALS, {"of": self.id})
            connection.execute(_END, {"of": self.id, "ended": state})

        try:
            self._lease.write(step, patience)
        finally:
            self._lease.release(patience)

    def _look(self, statement: Select[Any], row: Json) -> Any:
        def look() -> Any:
            with self._database.reading() as connection:
                return connection.execute(statement, row).scalar()

        return self._database.read(look)

    def _add_proposal(self, connection: Writing, row: Json) -> None:
        try:
            connection.execute(_ADD_PROPOSAL, row)
        except IntegrityError as error:
            text = f"{self.name}: proposal {row['number']} is already recorded; replay it instead"
            raise LedgerError(text) from error

    def _put_trial(self, connection: Writing, number: int, kind: str, row: Json, only_if: Any) -> int:
        whole = {"search_id": self.id, "number": number, "kind": kind, **row}
        statement = upsert(self._dialect, trials, TRIAL_KEYS, tuple(whole), only_if, returning=trials.c.id)
        trial_id = connection.execute(statement, whole).scalar()
        if trial_id is None:
            raise LedgerError(f"{self.name}: {kind} {number} already has a result; it is not overwritten")
        return trial_id

    def _put_epoch(self, connection: Writing, trial_id: int, values: Mapping[str, Any]) -> None:
        rest = {name: value for name, value in values.items() if name != "epoch"}
        row = {"trial_id": trial_id, "epoch": int(values["epoch"]), "values": plain(rest)}
        self._put(connection, epochs, ("trial_id", "epoch"), row)

    def _put(self, connection: Writing, table: Table, keys: tuple[str, ...], row: Json) -> None:
        connection.execute(upsert(self._dialect, table, keys, tuple(row)), row)
