"""What a report stands on: one search read from the results database, as it is now."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Select, Table, select

from nasengine.fidelity.report import STRATEGY as OF_FIDELITY
from nasengine.fidelity.report import Fidelity, fidelity_of
from nasengine.job import COMPARED, Json
from nasengine.ledger import Ledger
from nasengine.ledger.costs import total
from nasengine.ledger.queries import FAULT
from nasengine.ledger.search_record import now
from nasengine.ledger.tables import epochs, gates, searches, trials
from nasengine.search.objective import Goal

TESTED = tuple(f"test_{name}" for name in COMPARED)  # of a final network the first that there is
CURVES_BEST, CURVES_PRUNED = 8, 40  # learning curves that are drawn
SAMPLE = 300  # candidates whose epochs are compared with their results
AT_ONCE = 500  # trials in one question to the database
OUTCOMES = ("complete", "reused", "infeasible", "pruned", "failed", "stopped", "running")


@dataclass(frozen=True)
class Findings:
    """One search: its facts, its trials with their times and outcomes, curves by trial id, gates, remarks."""

    search: Json
    rows: Sequence[Json]
    curves: dict[int, list[Json]]
    gates: dict[int, list[Json]]  # of supernets: {epoch, gates}
    remarks: Sequence[Json]
    cost: dict[str, float]
    elsewhere: Sequence[Json]  # complete trials of the same networks in other searches
    fidelities: Sequence[Fidelity]
    sample: Sequence[int]  # ids of the candidates whose epochs were read for comparison
    at: datetime = field(default_factory=now)

    @cached_property
    def goal(self) -> Goal:
        """What the search made large or small."""
        return Goal.from_json(self.search["goal"])

    @cached_property
    def is_reward(self) -> bool:
        """Whether candidates are compared by a product with rewards of bounds, not by a value as it was measured."""
        return bool(self.goal.bounds) and self.goal.reward != "constraint"

    @cached_property
    def candidates(self) -> list[Json]:
        """Networks that were proposed, in the order in which their results came."""
        ended = [row for row in self.rows if row["kind"] == "candidate"]
        return sorted(ended, key=lambda row: (row["finished"] or self.at, row["id"]))

    @cached_property
    def ranked(self) -> list[Json]:
        """Complete candidates with a value, the best first."""
        done = [row for row in self.candidates if row["state"] == "complete" and row["value"] is not None]
        return sorted(done, key=lambda row: (-row["value"], row["trial"]))

    def of_kind(self, kind: str) -> list[Json]:
        """The complete trials of a kind."""
        return [row for row in self.rows if row["kind"] == kind and row["state"] == "complete"]

    @property
    def best(self) -> Json | None:
        """The row that the search is about; None until one is complete."""
        return next((row for row in self.rows if row["best"]), None)

    @property
    def outcomes(self) -> dict[str, int]:
        """How many candidates ended in which way."""
        counted = Counter(row["outcome"] for row in self.candidates)
        return {outcome: counted[outcome] for outcome in OUTCOMES if counted[outcome]}

    @property
    def faults(self) -> list[Json]:
        """What happened to workers."""
        return [remark for remark in self.remarks if remark["kind"] == FAULT]

    @property
    def said(self) -> list[Json]:
        """What the strategy said."""
        return [remark for remark in self.remarks if remark["kind"] != FAULT]


def read(ledger: Ledger, name: str) -> Findings:
    """Read one search. Raises LedgerError for a name that is not there."""
    search, rows, remarks = ledger.search(name), ledger.results(name), ledger.remarks(name)
    goal, times = Goal.from_json(search["goal"]), _times(ledger, search["id"])
    rows = [{**row, **times.get(row["id"], {"started": None, "finished": None})} for row in rows]
    for row in rows:
        row["outcome"] = _outcome(row, goal)
    sample = _sample(rows)
    wanted = {row["id"] for row in _drawn(rows)} | set(sample)
    supernets = [row["id"] for row in rows if row["kind"] == "supernet"]
    return Findings(
        search, rows, _by_trial(ledger, epochs, "values", sorted(wanted)),
        _by_trial(ledger, gates, "gates", supernets), remarks, total(rows, remarks), _elsewhere(ledger, search),
        _fidelities(ledger, search), sample,
    )  # fmt: skip


def _outcome(row: Json, goal: Goal) -> str:
    """How a trial ended, by one word of OUTCOMES."""
    if row["state"] == "failed":
        return "infeasible" if (row["error"] or "").startswith("infeasible: ") else "failed"
    if row["state"] == "complete" and row["kind"] == "candidate" and row["value"] is None:
        values = figures_of(row)
        return "failed" if goal.missing(values) else "infeasible"
    return "reused" if row["state"] == "complete" and row["reused_from"] else str(row["state"])


def figures_of(row: Json) -> dict[str, float]:
    """All numbers by which a trial can be compared: its values, parameters, multiply-adds, seconds."""
    counted = {name: row[name] for name in ("params", "macs", "seconds") if row[name] is not None}
    return {**counted, **{name: value for name, value in row["values"].items() if value is not None}}


def _drawn(rows: Sequence[Json]) -> list[Json]:
    """The trials whose learning curves are drawn: the best, some of those ended early, and all that are no candidates.

    Of those ended early, as many as are drawn stand evenly spread over the search.
    """
    candidates = [row for row in rows if row["kind"] == "candidate"]
    done = [row for row in candidates if row["state"] == "complete" and row["value"] is not None]
    pruned = [row for row in candidates if row["state"] == "pruned"]
    step = max(1, -(-len(pruned) // CURVES_PRUNED))
    others = [row for row in rows if row["kind"] in ("final", "supernet")]
    return sorted(done, key=lambda row: -row["value"])[:CURVES_BEST] + pruned[::step] + others


def _sample(rows: Sequence[Json]) -> list[int]:
    """Complete candidates that were trained here, drawn by a fixed seed where there are many."""
    done = [row["id"] for row in rows if row["kind"] == "candidate" and row["outcome"] == "complete"]
    return sorted(random.Random(0).sample(done, SAMPLE)) if len(done) > SAMPLE else done


def _times(ledger: Ledger, search: int) -> dict[int, Json]:
    query = select(trials.c.id, trials.c.started, trials.c.finished).where(trials.c.search_id == search)
    return {row["id"]: row for row in _asked(ledger, query)}


def _by_trial(ledger: Ledger, table: Table, column: str, ids: Sequence[int]) -> dict[int, list[Json]]:
    """Rows of `epochs` or `gates` by trial: values of an epoch with its number, or {epoch, gates}."""
    found: dict[int, list[Json]] = {}
    for begin in range(0, len(ids), AT_ONCE):
        some = table.c.trial_id.in_(ids[begin : begin + AT_ONCE])
        for row in _asked(ledger, select(table).where(some).order_by(table.c.trial_id, table.c.epoch)):
            more = row[column] if column == "values" else {column: row[column]}
            found.setdefault(row["trial_id"], []).append({"epoch": row["epoch"], **more})
    return found


def _asked(ledger: Ledger, query: Select[Any]) -> list[Json]:
    """The rows of a query, also where the database is away for a moment."""

    def ask() -> list[Json]:
        with ledger.database.reading() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    return ledger.database.read(ask)


def _elsewhere(ledger: Ledger, search: Json) -> list[Json]:
    """Complete trials of other searches on the same data whose networks are among this search's, by digest."""
    mine = select(trials.c.digest).where(trials.c.search_id == search["id"], trials.c.digest.is_not(None))
    columns = (trials.c.digest, trials.c.kind, trials.c.number, trials.c["values"], trials.c.seed)
    query = (
        select(searches.c.name.label("search"), searches.c.evaluator, searches.c.strategy, *columns)
        .join(searches, searches.c.id == trials.c.search_id)
        .where(trials.c.search_id != search["id"], trials.c.kind != "supernet", trials.c.digest.in_(mine))
        .where(searches.c.data == search["data"], trials.c.reused_from.is_(None), trials.c.state == "complete")
        .order_by(searches.c.id, trials.c.id)
    )
    return _asked(ledger, query)


def _fidelities(ledger: Ledger, search: Json) -> list[Fidelity]:
    """Networks measured with a supernet's weights and trained: of this search, or of the supernet that it used."""
    supernet = (search["fidelity"] or {}).get("supernet", search["name"])
    of_it = [one for one in ledger.searches() if one["strategy"] == OF_FIDELITY]
    names = [one["name"] for one in of_it if one["name"] == search["name"] or one["options"]["supernet"] == supernet]
    return [fidelity_of(ledger, name) for name in names]
