"""What differs between a search and its repetition: surroundings, facts, proposals, values, choice, final figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nasengine.commands import called
from nasengine.differences import Change, differences
from nasengine.job import Json
from nasengine.ledger.ledger import FIXED
from nasengine.runs import Run
from nasengine.space import Decision

MEASURED = ("seconds", "latency", "energy")  # words of values that no two measurements agree on


@dataclass(frozen=True)
class Values:
    """How far values agree: trials with the same network in both, those that are equal to the last bit, and the rest.

    `largest` holds the largest difference of each value that differs, and in which trial.
    """

    compared: int
    equal: int
    largest: Mapping[str, tuple[float, str]]


@dataclass(frozen=True)
class Outcome:
    """A search beside its repetition; `first` is the number of the first proposal that differs, if one does."""

    name: str
    again: str
    environment: Mapping[str, Change]
    facts: Mapping[str, Change]
    proposals: tuple[int, int]
    first: int | None
    values: Values
    chosen: tuple[str | None, str | None]
    figures: tuple[Mapping[str, float], Mapping[str, float]]

    @property
    def same(self) -> bool:
        """Whether everything that was found is the same, to the last bit; surroundings may differ."""
        return (
            self.first is None and len(set(self.proposals)) == 1 and self.values.equal == self.values.compared
            and self.chosen[0] == self.chosen[1] and _found(self.figures[0]) == _found(self.figures[1])
        )  # fmt: skip

    def to_json(self) -> Json:
        """Everything, by the names of `--json`."""

        def both(changes: Mapping[str, Change]) -> Json:
            return {name: {"then": then, "now": now} for name, (then, now) in changes.items()}

        largest = {name: {"difference": by, "trial": trial} for name, (by, trial) in self.values.largest.items()}
        return {
            "name": self.name,
            "again": self.again,
            "same": self.same,
            "environment": both(self.environment),
            "facts": both(self.facts),
            "proposals": {"then": self.proposals[0], "now": self.proposals[1], "first_difference": self.first},
            "values": {"compared": self.values.compared, "equal": self.values.equal, "largest": largest},
            "chosen": {"then": self.chosen[0], "now": self.chosen[1]},
            "figures": {"then": dict(self.figures[0]), "now": dict(self.figures[1])},
        }


def outcome(old: Run, new: Run) -> Outcome:
    """Compare two records of a search."""
    then, now = _candidates(old), _candidates(new)
    numbers = sorted(then.keys() & now.keys())
    first = next((number for number in numbers if _picks(then[number]) != _picks(now[number])), None)
    best = old.ledger.best(old.name) or {}, new.ledger.best(new.name) or {}
    return Outcome(
        old.name, new.name, surroundings(old.search, new.search), facts(old.search, new.search),
        (len(then), len(now)), first, _values(old, new),
        (best[0].get("digest"), best[1].get("digest")), (best[0].get("values", {}), best[1].get("values", {})),
    )  # fmt: skip


def facts(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Change]:
    """What two searches were asked differently, by dotted names; what decides nothing is left out."""
    found: dict[str, Change] = {}
    for name in FIXED:
        found |= dict(differences(name, old[name], new.get(name)))
    return found


def decisions_of(decisions: Mapping[str, Decision]) -> Json:
    """A space's decisions as a record keeps them."""
    return {name: {"options": list(one.options), "keep": list(one.keep)} for name, one in decisions.items()}


def surroundings(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Change]:
    """What differs in where two searches ran; what one of them does not know is left out."""
    then = {**(old["environment"] or {}), "nasengine": old["version"]}
    now = {**(new["environment"] or {}), "nasengine": new["version"]}
    names = [name for name in then if name != "resumed" and name in now]
    return {name: (then[name], now[name]) for name in names if then[name] != now[name]}


def _candidates(run: Run) -> dict[int, Json]:
    return {row["trial"]: row for row in run.results() if row["kind"] == "candidate"}


def _picks(row: Mapping[str, Any]) -> dict[str, list[str]]:
    return {name: list(kept) for name, kept in row["architecture"].items()}


def _found(values: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in values.items() if not any(word in name for word in MEASURED)}


def _values(old: Run, new: Run) -> Values:
    """The values of trials that are the same network in both records, and ended in both."""
    ended = ("complete", "pruned", "failed")
    now = {called(row): row for row in new.results() if row["state"] in ended}
    largest: dict[str, tuple[float, str]] = {}
    compared = equal = 0
    for row in old.results():
        other = now.get(called(row))
        if row["state"] not in ended or other is None or _picks(row) != _picks(other):
            continue
        compared += 1
        mine, theirs = _found(row["values"]), _found(other["values"])
        equal += (mine, row["state"], row["stopped"]) == (theirs, other["state"], other["stopped"])
        for name in mine.keys() & theirs.keys():
            by = 0.0 if None in (mine[name], theirs[name]) else abs(mine[name] - theirs[name])
            if by > largest.get(name, (0.0, ""))[0]:
                largest[name] = by, called(row)
    return Values(compared, equal, dict(sorted(largest.items())))
