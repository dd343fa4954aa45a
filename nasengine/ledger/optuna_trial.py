"""One trial of the ledger as Optuna's: picks as categorical parameters, the learning curve as intermediate values."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

from optuna.distributions import CategoricalDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from nasengine.job import Json
from nasengine.ledger.optuna_aims import Aims

MOST_CHOICES = 512
LEDGER_ID = "ledger_id"  # the user attribute by which a trial is known to be written
CONSTRAINTS = "constraints"  # Optuna's system attribute; above 0 is broken
ENDED = ("complete", "pruned", "failed")
ATTRIBUTES = ("kind", "digest", "params", "macs", "seconds", "seed", "error", "weights", "reused_from", "stopped")


class Converter:
    """Makes Optuna's trials of one search's rows."""

    def __init__(self, search: Json) -> None:
        self._search = search
        self._choices = _choices(search["decisions"] or {})

    def trial(self, row: Mapping[str, Any], epochs: Sequence[Mapping[str, Any]], aims: Aims) -> FrozenTrial:
        """Return a row of `nas_trials` and its epochs as a trial of a study with these aims."""
        curve = {epoch["epoch"]: aims.curve(epoch) for epoch in epochs}
        steps = {step: value for step, value in curve.items() if value is not None}
        names, values = aims.values(row, steps)
        parameters = self._parameters(row["architecture"] or {})
        violations = aims.violations(row)
        trial = create_trial(
            state=_state(row["state"], values is not None),
            values=values if row["state"] == "complete" else None,
            params={name: pick for name, (pick, _) in parameters.items()},
            distributions={name: CategoricalDistribution(choices) for name, (_, choices) in parameters.items()},
            user_attrs={**self._attributes(row), "value_is": ", ".join(names)},
            system_attrs={} if violations is None else {CONSTRAINTS: violations},
            intermediate_values=steps,
        )
        trial.datetime_start = _local(row["started"] or row["finished"] - timedelta(seconds=row["seconds"] or 0))
        trial.datetime_complete = _local(row["finished"]) if trial.state.is_finished() else None
        return trial

    def _attributes(self, row: Mapping[str, Any]) -> Json:
        known = {name: row[name] for name in ATTRIBUTES if row[name] is not None}
        own = {LEDGER_ID: row["id"], "trial": row["number"], "strategy": self._search["strategy"]}
        return {"seed": self._search["seed"], **known, **own, **(row["cost"] or {}), **(row["values"] or {})}

    def _parameters(self, architecture: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, list[str]]]:
        """Return, by decision, what was picked and what could have been; without what Optuna cannot hold."""
        answers = {name: answer(picks) for name, picks in architecture.items()}
        return {
            name: (pick, self._choices[name]) for name, pick in answers.items() if pick in self._choices.get(name, ())
        }


def answer(picks: Sequence[str]) -> str:
    """Return what was picked in one decision as one word."""
    return "+".join(picks) or "nothing"


def _choices(decisions: Mapping[str, Json]) -> dict[str, list[str]]:
    """Return every possible answer to each decision, which Optuna wants to know before the first; not for huge ones."""
    answers = {}
    for name, decision in decisions.items():
        options, (least, most) = decision["options"], decision["keep"]
        sizes = range(least, min(most, len(options)) + 1)
        if sum(math.comb(len(options), size) for size in sizes) <= MOST_CHOICES:
            answers[name] = [answer(picks) for size in sizes for picks in combinations(options, size)]
    return answers


def _state(state: str, has_value: bool) -> TrialState:
    if state == "running":
        return TrialState.RUNNING
    if state == "failed":
        return TrialState.FAIL
    # Optuna asks every complete trial for a value
    return TrialState.COMPLETE if state == "complete" and has_value else TrialState.PRUNED


def _local(moment: datetime) -> datetime:
    """Return a time of the ledger, in UTC, as Optuna holds it, in local time."""
    return moment.replace(tzinfo=UTC).astimezone().replace(tzinfo=None)
