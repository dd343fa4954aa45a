"""Everything that a page says and shows, made of the findings: the names are those of the templates."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nasengine.errors import NasError
from nasengine.job import Json
from nasengine.pareto import Trials, trials
from nasengine.report import spoken, summary, surroundings
from nasengine.report.findings import Findings
from nasengine.report.gates import GateStory, story
from nasengine.report.ranks import Early, Ranking, early, mean_of_rounds, rankings, rounds

OF_BEST = ("trial", "kind", "digest", "values", "params", "macs", "seconds", "architecture")
PASSWORD = re.compile(r"(://[^\s:/@]+:)[^\s@]+@")  # in the address of a database


@dataclass(frozen=True)
class Contents:
    """What the templates are given."""

    found: Findings
    name: str
    lead: str
    state: str
    figures: Sequence[tuple[str, str, str]]
    baselines: Sequence[str]
    front: Trials | None
    stories: Sequence[GateStory]
    rankings: Sequence[Ranking]
    early: Early | None
    rounds: Sequence[Json]
    said: Sequence[spoken.Said]
    said_kinds: str
    failures: Sequence[spoken.Failures]
    cost: Mapping[str, float]
    environment: Mapping[str, Any]
    commands: Sequence[tuple[str, str]]


def contents(found: Findings, db: str) -> Contents:
    """Work out all that is said; nothing is drawn yet."""
    supernets = [row["id"] for row in found.rows if row["kind"] == "supernet"]
    stories = [story(found.curves.get(one, []), found.gates.get(one, [])) for one in supernets]
    commands = surroundings.commands(found, db)
    if found.search["command"]:
        commands = [*commands, ("It was begun with", found.search["command"])]
    return Contents(
        found, found.search["name"], summary.lead(found), summary.state(found), summary.key_figures(found),
        summary.baselines(found), front_of(found), [one for one in stories if one], rankings(found), early(found),
        rounds(found), spoken.exchanges(found), spoken.kinds(found), spoken.failures(found), found.cost,
        surroundings.environment(found), [(title, without_password(command)) for title, command in commands],
    )  # fmt: skip


def front_of(found: Findings) -> Trials | None:
    """The front, where there are several objectives and networks that have them all within bounds."""
    if len(found.goal.free) < 2:
        return None
    try:
        return trials(found.candidates, found.goal)
    except NasError:  # not one candidate is complete and within bounds
        return None


def without_password(text: str) -> str:
    """A command whose database's address does not tell the password."""
    return PASSWORD.sub(r"\1***@", text)


def facts(of: Contents) -> dict[str, Any]:
    """The same as plain data, for programs."""
    return {
        "search": of.name,
        "state": of.found.search["state"],
        "read": of.found.at.isoformat(),
        "what": of.lead,
        "best": of.found.best and {name: of.found.best[name] for name in OF_BEST},
        "figures": [{"name": name, "value": value, "more": more} for name, value, more in of.figures],
        "baselines": of.baselines,
        "outcomes": of.found.outcomes,
        "front": [{"trial": row["trial"], **row["values"]} for row in of.front.best] if of.front else None,
        "gates": [_of_gates(one) for one in of.stories],
        "agreement": [_of_ranking(one) for one in of.rankings],
        "early_epochs": _of_early(of.early) if of.early else None,
        "rounds": mean_of_rounds([one["tau"] for one in of.rounds]) if of.rounds else None,
        "remarks": of.said_kinds,
        "failures": [vars(one) for one in of.failures],
        "cost": of.cost,
        "environment": of.environment,
        "commands": dict(of.commands),
    }


def _of_gates(told: GateStory) -> Json:
    kept = ("epoch", "gate_entropy", "skip_share", "skip_shares")
    epochs = [{name: record.get(name) for name in kept} for record in told.records]
    return {"verdicts": told.verdicts, "changes": [vars(change) for change in told.changes], "epochs": epochs}


def _of_ranking(one: Ranking) -> Json:
    return {"kind": one.kind, "cheap": one.cheap, "dear": one.dear, **one.told._asdict()}


def _of_early(told: Early) -> Json:
    return {"metric": told.metric, "epochs": told.epochs, "agreement": [one._asdict() for one in told.told]}
