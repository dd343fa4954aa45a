"""What training networks of a search anew found: figures over seeds, and how far the search's order held."""

import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from nasengine.bench.agreement import tau_b
from nasengine.bench.wording import named
from nasengine.errors import LedgerError
from nasengine.runs import Run
from nasengine.search.objective import Goal


@dataclass(frozen=True)
class Network:
    """One network under several seeds: which of the search, its place there (from 1), and its test figures."""

    origin: str
    place: int
    value: float | None  # in the search, the larger the better
    metric: str
    seeds: tuple[int, ...]
    trials: tuple[int, ...]
    scores: tuple[float, ...]
    params: int
    macs: int

    @property
    def mean(self) -> float:
        """The mean over the seeds."""
        return statistics.mean(self.scores)

    @property
    def deviation(self) -> float | None:
        """That of a sample (n - 1); None of one seed."""
        return statistics.stdev(self.scores) if len(self.scores) > 1 else None

    @property
    def words(self) -> str:
        """Mean ± deviation."""
        return f"{self.mean:.4f}" + ("" if self.deviation is None else f" ± {self.deviation:.4f}")


@dataclass(frozen=True)
class Retrained:
    """The networks of one record of `nasengine train`, the best by the mean of their test figures first."""

    name: str
    source: str | None
    compared_by: str  # in the search
    networks: Sequence[Network]

    @property
    def name_of_metric(self) -> str:
        """The test figure in words."""
        return named(self.networks[0].metric)

    @property
    def name_of_value(self) -> str:
        """What the search compared by, in words."""
        return named(self.compared_by)

    @property
    def tau(self) -> float | None:
        """Kendall's tau-b of the search's values and the test figures; None of fewer than two that have both."""
        both = [(one.value, one.mean) for one in self.networks if one.value is not None]
        return tau_b(*zip(*both, strict=True)) if len(both) > 1 else None

    def remarks(self) -> Iterator[str]:
        """What the ranks mean, a sentence each."""
        for rank, one in enumerate(self.networks, 1):
            if rank != one.place:
                yield f"{one.origin} was number {one.place} in the search and is number {rank} now."
        if len(self.networks) > 1:
            tau = "not to be told, for all are equal" if self.tau is None or self.tau != self.tau else f"{self.tau:.2f}"
            yield f"Kendall's tau of both orders: {tau}, over {len(self.networks)} networks."
            yield from self._doubts()

    def _doubts(self) -> Iterator[str]:
        best, second = self.networks[:2]
        if best.deviation is None or second.deviation is None:
            yield "One seed says little about ranks: --seeds 3 tells how far one network's figures differ."
        elif best.mean - second.mean <= max(best.deviation, second.deviation):
            yield (
                f"{best.origin} and {second.origin} differ by {best.mean - second.mean:.4f}, which is within the "
                "deviation over seeds: their order may be chance."
            )

    def to_json(self) -> dict[str, Any]:
        """Everything, by the names of `--json`."""
        tau = self.tau
        networks = [
            {"rank": rank, **asdict(one), "mean": one.mean, "deviation": one.deviation}
            for rank, one in enumerate(self.networks, 1)
        ]
        return {
            "name": self.name,
            "from": self.source,
            "compared_by": self.compared_by,
            "tau": tau,
            "networks": networks,
        }


def retrained(run: Run) -> Retrained:
    """Read what a record of `nasengine train` has so far. Raises LedgerError where no training is complete."""
    rows = [row for row in run.results() if row["kind"] == "final" and row["state"] == "complete"]
    if not rows:
        raise LedgerError(f"search {run.name}: no training of it is complete; give its command again")
    source = (run.search["options"] or {}).get("from")
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(json.dumps(row["architecture"], sort_keys=True), []).append(row)
    metric = tested(rows[0]["values"])
    values, compared_by = _values(run, source)
    networks = [_network(group, metric, values) for group in groups.values()]
    return Retrained(run.name, source, compared_by, sorted(networks, key=lambda one: -one.mean))


def tested(values: Mapping[str, float]) -> str:
    """The name of the test figure that is reported: the first that is no loss."""
    names = [name for name in values if name.startswith("test_")]
    return next((name for name in names if name != "test_loss"), "test_loss")


def _values(run: Run, source: str | None) -> tuple[dict[str, float | None], str]:
    """What the search's candidates were compared by: value by NAME:TRIAL, and what it is called."""
    if source is None:
        return {}, ""
    try:
        search = run.ledger.search(source)
    except LedgerError:  # moved to another database, or renamed
        return {}, "value"
    rows = [row for row in run.ledger.results(source) if row["kind"] == "candidate"]
    return {f"{source}:{row['trial']}": row["value"] for row in rows}, Goal.from_json(search["goal"]).first


def _network(rows: Sequence[Mapping[str, Any]], metric: str, values: Mapping[str, float | None]) -> Network:
    lineage = rows[0]["lineage"] or {}
    origin = lineage.get("retrained_from", "")
    rows = sorted(rows, key=lambda row: row["seed"])
    return Network(
        origin, lineage.get("place", 1), values.get(origin), metric, tuple(row["seed"] for row in rows),
        tuple(row["trial"] for row in rows), tuple(row["values"][metric] for row in rows), rows[0]["params"],
        rows[0]["macs"],
    )  # fmt: skip
