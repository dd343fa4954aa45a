"""What the two values of each network say about each other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Literal

from nasengine.bench.agreement import Agreement, agreement
from nasengine.job import Json
from nasengine.ledger import Ledger
from nasengine.ledger.queries import METRIC

STRATEGY = "fidelity"  # what the database calls it where a strategy's name stands
Kind = Literal["inherited", "candidate"]
KINDS: tuple[Kind, ...] = ("inherited", "candidate")  # of the two trials of a network: measured, and trained
LOW = 0.3  # a tau below this is no ranking to search by
REMEDY = (
    "Train a supernet for more --epochs, or so that all options learn equally often (--strategy one-shot "
    "--strategy.fairness strict, or --strategy sandwich), or in a space of fewer decisions; more --samples make the "
    "interval narrower"
)


@dataclass(frozen=True)
class Pair:
    """One network: its value with inherited weights, and after its own training; None where that failed."""

    number: int
    digest: str | None
    inherited: float | None
    trained: float | None
    params: int | None
    macs: int | None


@dataclass(frozen=True)
class Fidelity:
    """What such a sample said: every pair, how far both rankings agree, and how far size alone agrees with training."""

    name: str
    supernet: str
    pairs: tuple[Pair, ...]
    agreement: Agreement
    baselines: Mapping[str, Agreement]  # by params, by macs

    @property
    def doubts(self) -> list[str]:
        """What speaks against a search with these weights, or against this sample, and what to do; a sentence each."""
        return [*doubts(self.agreement, self.supernet), *self._of_trainings(), *self._of_size()]

    def _of_trainings(self) -> Iterator[str]:
        pairs = ((pair.inherited, pair.trained) for pair in self.pairs)
        gains = [after - before for before, after in pairs if before is not None and after is not None]
        worse = sum(gain < 0 for gain in gains)
        if worse * 4 > len(gains):
            yield (
                f"{worse} of {len(gains)} networks are worse after their own training than with inherited weights, so "
                "that those trainings may be no measure: give them more --epochs, or a smaller --recipe.lr"
            )

    def _of_size(self) -> Iterator[str]:
        for figure, one in self.baselines.items():
            if one.tau > max(self.agreement.tau, 0.0):
                yield (
                    f"{figure} alone rank them better (tau {one.tau:.2f}) and cost nothing: see that a search with "
                    "these weights finds more than the largest network within its bounds"
                )


def doubts(told: Agreement, supernet: str) -> list[str]:
    """What a low tau means, and what raises it; nothing where it is not low."""
    if told.low >= 0 and told.tau >= LOW:
        return []
    how = "may have nothing to do with" if told.low < 0 else "say little about"
    return [
        f"values with the weights of {supernet} {how} those after training (tau {told.tau:.2f}, 95 % from "
        f"{told.low:.2f} to {told.high:.2f}, {told.samples} networks). {REMEDY}"
    ]


def fidelity_of(ledger: Ledger, name: str) -> Fidelity:
    """What is recorded under this name, compared."""
    rows = {(row["kind"], row["trial"]): row for row in ledger.results(name) if row["state"] == "complete"}
    numbers = sorted({number for _, number in rows})
    pairs = tuple(_pair(number, *(rows.get((kind, number)) for kind in KINDS)) for number in numbers)
    trained = _column(pairs, "trained")
    by = {figure: agreement(_column(pairs, figure), trained) for figure in ("inherited", "params", "macs")}
    return Fidelity(name, ledger.search(name)["options"]["supernet"], pairs, by.pop("inherited"), by)


def _pair(number: int, measured: Json | None, trained: Json | None) -> Pair:
    facts = trained or measured or {}
    return Pair(number, facts["digest"], _value(measured), _value(trained), facts["params"], facts["macs"])


def _value(row: Json | None) -> float | None:
    if row is None:
        return None
    return row["values"].get(METRIC) if row["value"] is None else row["value"]


def _column(pairs: Sequence[Pair], name: str) -> list[float]:
    entries = [getattr(pair, name) for pair in pairs]
    return [float("nan") if entry is None else float(entry) for entry in entries]


def known_fidelity(ledger: Ledger, supernet: str) -> tuple[float, float, float, int] | None:
    """Tau, the ends of its interval, and over how many networks, of the largest sample of a supernet; None for none."""
    told = [
        fidelity_of(ledger, search["name"]).agreement
        for search in ledger.searches()
        if search["strategy"] == STRATEGY and search["options"]["supernet"] == supernet
    ]
    best = max((one for one in told if isfinite(one.tau)), key=lambda one: one.samples, default=None)
    return None if best is None else (best.tau, best.low, best.high, best.samples)
