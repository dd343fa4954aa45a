"""What is asked of the results database: results, the best, a search's history, curves, and work already done."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, RowMapping, Table, func, select

from nasengine.errors import LedgerError, did_you_mean
from nasengine.job import Json, Result
from nasengine.ledger.collecting import uncollected
from nasengine.ledger.costs import total
from nasengine.ledger.database import Database
from nasengine.ledger.lease import is_alive
from nasengine.ledger.tables import artifacts, epochs, gates, leases, proposals, remarks, searches, trials

if TYPE_CHECKING:
    from pandas import DataFrame

METRIC = "validation_accuracy"
"""The value by which candidates are compared where a search has no other goal."""

FAULT = "fault"
"""The kind of a remark that is no strategy's: something happened to a worker."""

_RESULT = (
    "number",
    "architecture",
    "digest",
    "values",
    "params",
    "macs",
    "seconds",
    "weights",
    "error",
    "stopped",
    "cost",
)


@dataclass(frozen=True)
class Replay:
    """A search's history: results in told order, results not yet told, proposals without a result (by number)."""

    told: Sequence[Result]
    waiting: Sequence[Result]
    open: Sequence[tuple[int, dict[str, list[str]]]]


@dataclass(frozen=True)
class Reusable:
    """A finished trial that answers for an equal one: its row's id, where it was trained, its result."""

    trial_id: int
    search: str
    number: int
    result: Result


Words = ParamSpec("Words")
Answer = TypeVar("Answer")
Question = Callable[Concatenate["Reader", Words], Answer]


def patiently(question: Question[Words, Answer]) -> Question[Words, Answer]:
    """Make a question that is asked again while the database is away."""

    @wraps(question)
    def asked(self: "Reader", /, *args: Words.args, **kwargs: Words.kwargs) -> Answer:
        return self.database.read(lambda: question(self, *args, **kwargs), self.patience)

    return asked


class Reader:
    """Everything that can be asked of an open database, also while a search writes it.

    Where the database is away, a question waits for `patience` seconds; without, for as long as the database says.
    """

    def __init__(self, database: Database, patience: float | None = None) -> None:
        self.database = database
        self.patience = patience

    @patiently
    def searches(self) -> list[Json]:
        """Return all searches, oldest first, with their facts, state and the number of results by state."""
        counts = select(trials.c.search_id, trials.c.state, func.count()).group_by(trials.c.search_id, trials.c.state)
        with self.database.reading() as connection:
            found = _searches(connection)
            tally = connection.execute(counts).all()
        for search in found:
            search["results"] = {state: count for search_id, state, count in tally if search_id == search["id"]}
        return found

    @patiently
    def search(self, name: str) -> Json:
        """Return one search's facts. Raises LedgerError for a name that is not there."""
        with self.database.reading() as connection:
            return _one(_searches(connection), name)

    @patiently
    def results(self, name: str | None = None) -> list[Json]:
        """Return the trials of one search, or of all, as rows; `best` is true for one row of each search.

        Best is the final network, or until there is one the complete candidate that did best by the search's goal.
        Where several of a search's networks were trained anew it is the one that was best in the search: test figures
        report, and choose nothing.
        """
        with uncollected(), self.database.reading() as connection:
            found = _searches(connection)
            chosen = found if name is None else [_one(found, name)]
            query = select(trials).order_by(trials.c.search_id, trials.c.id)
            if name is not None:
                query = query.where(trials.c.search_id == chosen[0]["id"])
            by_id = {search["id"]: search for search in chosen}
            answer = [_result_row(row, by_id[row["search_id"]]) for row in connection.execute(query).mappings()]
        of: dict[str, list[Json]] = {search["name"]: [] for search in chosen}
        for row in answer:
            of[row["search"]].append(row)
        for mine in of.values():
            _mark_best(mine)
        return answer

    @patiently
    def figures(self, name: str) -> list[Json]:
        """Return trial, kind, state, values, params, macs, seconds of a search's trials: a part that is read fast."""
        of = trials.c
        columns = (of.number.label("trial"), of.kind, of.state, of["values"], of.params, of.macs, of.seconds)
        with uncollected(), self.database.reading() as connection:
            mine = of.search_id == _one(_searches(connection), name)["id"]
            rows = connection.execute(select(*columns).where(mine).order_by(of.id)).mappings()
            return [{**row, "values": row["values"] or {}} for row in rows]

    def best(self, name: str) -> Json | None:
        """Return the best row of `results`; None until a trial is complete."""
        return next((row for row in self.results(name) if row["best"]), None)

    def frame(self, name: str | None = None) -> "DataFrame":
        """Return `results` as a pandas table, one column for each value name."""
        from pandas import DataFrame

        rows = [{**row, **row["values"]} for row in self.results(name)]
        return DataFrame(rows).drop(columns="values", errors="ignore")

    @patiently
    def replay(self, name: str) -> Replay:
        """Return what a strategy must be told, and what must be submitted again, to go on where a search stopped."""
        with self.database.reading() as connection:
            search = _one(_searches(connection), name)
            ended = trials.c.state.in_(("complete", "pruned", "failed"))
            mine = (trials.c.search_id == search["id"]) & (trials.c.kind == "candidate") & ended
            rows = connection.execute(select(trials).where(mine).order_by(trials.c.number)).mappings().all()
            asked = (proposals.c.search_id == search["id"]) & (proposals.c.state == "open")
            query = select(proposals.c.number, proposals.c.architecture).where(asked).order_by(proposals.c.number)
            pending = connection.execute(query).all()
        told = sorted((row for row in rows if row["told_order"] is not None), key=lambda row: row["told_order"])
        waiting = [row for row in rows if row["told_order"] is None]
        return Replay(
            [_result(row) for row in told], [_result(row) for row in waiting], [tuple(row) for row in pending]
        )

    @patiently
    def find_reusable(self, reuse_key: str) -> Reusable | None:
        """Return the first complete trial of any search under this reuse key, with its epochs."""
        query = (
            select(trials, searches.c.name.label("search"))
            .join(searches)
            .where(trials.c.reuse_key == reuse_key, trials.c.state == "complete")
            .order_by(trials.c.id)
        )
        with self.database.reading() as connection:
            row = connection.execute(query.limit(1)).mappings().first()
        if row is None:
            return None
        return Reusable(row["id"], row["search"], row["number"], _result(row, self.epochs(row["id"])))

    def epochs(self, trial_id: int) -> list[Json]:
        """Return a trial's learning curve: one dict of values an epoch, with its number under "epoch"."""
        rows = self._of_trial(epochs, trial_id, epochs.c.epoch)
        return [{"epoch": row.epoch, **row[-1]} for row in rows]

    def gates(self, trial_id: int) -> list[Json]:
        """Return the gates' strengths as rows of epoch, decision, option and value."""
        return [
            {"epoch": row.epoch, "decision": decision, "option": option, "value": value}
            for row in self._of_trial(gates, trial_id, gates.c.epoch)
            for decision, options in row.gates.items()
            for option, value in options.items()
        ]

    @patiently
    def remarks(self, name: str) -> list[Json]:
        """Return what a search's strategy said, in order: number (of proposals then), kind, text, values."""
        with self.database.reading() as connection:
            mine = remarks.c.search_id == _one(_searches(connection), name)["id"]
            columns = (remarks.c.number, remarks.c.kind, remarks.c.text, remarks.c["values"])
            rows = connection.execute(select(*columns).where(mine).order_by(remarks.c.id)).mappings()
            return [dict(row) for row in rows]

    def cost(self, name: str) -> dict[str, float]:
        """Return what a search has cost so far, over all its trials and their attempts.

        seconds (of trials), core_seconds, gpu_seconds, joules, attempts; tokens and dollars of a language model.
        """
        return total(self.results(name), self.remarks(name))

    def artifacts(self, trial_id: int) -> dict[str, str]:
        """Return the files that a trial left behind: name to path."""
        return {row.name: row.path for row in self._of_trial(artifacts, trial_id, artifacts.c.name)}

    @patiently
    def _of_trial(self, table: Table, trial_id: int, order: ColumnElement[Any]) -> Sequence[Row[Any]]:
        with self.database.reading() as connection:
            return connection.execute(select(table).where(table.c.trial_id == trial_id).order_by(order)).all()


def _searches(connection: Connection) -> list[Json]:
    """Read all searches; one that says it runs but whose driver is gone is shown as stopped."""
    living = {row["name"] for row in connection.execute(select(leases)).mappings() if is_alive(row)}
    rows = [dict(row) for row in connection.execute(select(searches).order_by(searches.c.id)).mappings()]
    for row in rows:
        row["driven"] = lease_name(row["name"]) in living
        if row["state"] == "running" and not row["driven"]:
            row["state"] = "stopped"
    return rows


def lease_name(search: str) -> str:
    """Return the name under which a search's one writer is known."""
    return f"search {search}"


def _one(found: list[Json], name: str) -> Json:
    names = [search["name"] for search in found]
    if name not in names:
        listing = ", ".join(names) or "none yet"
        raise LedgerError(f"search: {name}; recorded are {listing}.{did_you_mean(name, names)}")
    return found[names.index(name)]


def _result_row(row: RowMapping, search: Json) -> Json:
    lost = row["state"] == "running" and not search["driven"]
    return {
        "id": row["id"],
        "search": search["name"],
        "trial": row["number"],
        "kind": row["kind"],
        "digest": row["digest"],
        "values": row["values"] or {},
        "value": _value(row, search),
        "stopped": row["stopped"],
        "cost": row["cost"] or {},
        "params": row["params"],
        "macs": row["macs"],
        "seconds": row["seconds"],
        "state": "stopped" if lost else row["state"],
        "best": False,
        "architecture": row["architecture"],
        "error": row["error"],
        "seed": search["seed"] if row["seed"] is None else row["seed"],
        "reused_from": row["reused_from"],
        "weights": row["weights"],
        "recipe": row["recipe"],
        "lineage": row["lineage"],
    }


def _value(row: RowMapping, search: Json) -> Any:
    """The number that was recorded; before goals were, and where there is none, it is the usual one of a candidate."""
    if row["value"] is None and search["goal"] is None and row["kind"] == "candidate":
        return (row["values"] or {}).get(METRIC)
    return row["value"]


def _mark_best(rows: list[Json]) -> None:
    finals = [row for row in rows if row["kind"] == "final" and row["state"] == "complete"]
    done = [row for row in rows if row["kind"] == "candidate" and row["state"] == "complete"]
    ranked = [row for row in done if value_of(row) is not None]
    if finals:
        min(reversed(finals), key=lambda row: (row["lineage"] or {}).get("place", 1))["best"] = True
    elif ranked:
        max(ranked, key=value_of)["best"] = True


def value_of(row: Mapping[str, Any]) -> Any:
    """Return the number by which a row is compared with others of its search, None where it has none."""
    return row["value"]


def _result(row: RowMapping, curve: Sequence[Mapping[str, Any]] = ()) -> Result:
    facts = {name: row[name] for name in _RESULT}
    return Result.from_json(
        {**facts, "values": facts["values"] or {}, "cost": facts["cost"] or {}, "epochs": list(curve)}
    )
