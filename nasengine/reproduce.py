"""Repeats a search from its record, under a new name, and says what differs."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nasengine.differences import Change
from nasengine.engine import conduct
from nasengine.errors import NasError
from nasengine.job import plain
from nasengine.ledger import DEFAULT
from nasengine.ledger.environment import version
from nasengine.listener import Listener
from nasengine.plan import OF_THE_DATA, make
from nasengine.planned import Plan
from nasengine.reproduced import Outcome, decisions_of, facts, outcome
from nasengine.reproduced import surroundings as changed_surroundings
from nasengine.runs import Run
from nasengine.search import relay
from nasengine.surroundings import surroundings
from nasengine.training.recipe import recipe

NOT_RECORDED = "limit, hours, order of results, workers and executor"
TRAININGS = ("train", "fidelity")  # what stands for a strategy in records that are no search


@dataclass(frozen=True)
class Repetition:
    """A search that is to be repeated, checked: its plan, what is known to differ already, and what is to be said."""

    run: Run
    plan: Plan
    environment: Mapping[str, Change]
    facts: Mapping[str, Change]
    notes: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name of the repetition."""
        assert self.plan.name is not None
        return self.plan.name

    @property
    def data_changed(self) -> bool:
        """Whether the images, or the table, are not what they were."""
        return "data_fingerprint" in self.facts

    def refuse_other_data(self) -> None:
        """Raise NasError where the data has changed: nothing of what would be found could be compared."""
        if self.data_changed:
            then, now = self.facts["data_fingerprint"]
            hint = "" if self.run.words is not None else "; its limit was not kept: give --limit"
            raise NasError(
                f"reproduce {self.run.name}: data {self.plan.data_name} has changed since (fingerprint "
                f"{str(then)[:12]}… then, {str(now)[:12]}… now){hint}; put it back as it was, or begin another search "
                "on it"
            )


def reproduce(
    name: str, *, db: str | Path = DEFAULT, listener: Listener | None = None, command: str | None = None, **words: Any
) -> Outcome:
    """Repeat a search and compare; takes what `prepare` does. Raises NasError where that cannot be."""
    repetition = prepare(name, db=db, **words)
    return carry_out(repetition, db, listener or Listener(), command)


def prepare(
    name: str, *, again: str | None = None, db: str | Path = DEFAULT, limit: int | None = None,
    typed: Mapping[str, Any] | None = None,
) -> Repetition:  # fmt: skip
    """Plan a search anew from its record, under the name `again` (NAME-again), and compare what is known beforehand.

    Nothing is taken from earlier trainings. `typed` are the words of its command, for a record that keeps none;
    `limit` is for one of which it is not known.
    """
    run = Run(name, db)
    again = again or f"{name}-again"
    if again == name:
        raise NasError(f"reproduce {name}: --as {again} came; a repetition has a name of its own")
    if run.search["strategy"] in TRAININGS:
        raise NasError(
            f"reproduce {name}: it is no search, but a record of trainings; give its command with another --name: "
            f"{run.search['command']}"
        )
    words, notes = _words(run, typed)
    if limit is not None:
        words["limit"] = limit
    plan = make(**{**words, "name": again, "reuse": False}, db=db)
    now = {"environment": surroundings(), "version": version()}
    told = relay.counts(run.ledger, again, plan.warm_start)
    asked = plain({**plan.facts(), "decisions": decisions_of(plan.space.decisions), "warm_start": told})
    changes = changed_surroundings(run.search, now), facts(run.search, asked)
    return Repetition(run, plan, *changes, (*notes, *_doubts(run, plan)))


def carry_out(repetition: Repetition, db: str | Path, listener: Listener, command: str | None = None) -> Outcome:
    """Search again, unless the data has changed, and say what differs."""
    repetition.refuse_other_data()
    new = conduct(repetition.plan, db, listener, command)
    return outcome(Run(repetition.run.name, db), Run(new.name, db))


def _words(run: Run, typed: Mapping[str, Any] | None) -> tuple[dict[str, Any], list[str]]:
    """What to ask again, from the best source there is, and what that does not know."""
    if run.words is not None:
        lost = [name for name, value in run.words.items() if value is None]
        if lost:
            raise NasError(
                f"reproduce {run.name}: {', '.join(lost)} came from a program as objects, which no database keeps; "
                f"call that program again with another name: {run.search['command']}"
            )
        return dict(run.words), []
    source = "command" if typed is not None else "facts"
    notes = [f"{run.name} was recorded before searches kept what they were asked: this repeats its {source}"]
    if typed is not None:
        return {name: value for name, value in typed.items() if value is not None}, notes
    return words_of_facts(run.search), [*notes, f"not known are {NOT_RECORDED}: they are as usual"]


def words_of_facts(search: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `nasengine.plan.make` as far as facts tell them."""
    options, fidelity = dict(search["options"] or {}), dict(search["fidelity"] or {})
    goal, stopper, recipes = search["goal"] or {}, search["stopper"] or {}, search["recipe"] or {}
    words: dict[str, Any] = {"policy": options.pop("policy", None), "strategy_options": options}
    proxy = fidelity.pop("proxy", None) or {}
    if search["evaluator"] == "table":
        words |= {"table": search["data"], "space": search["space"], "epochs": search["epochs"]}
    else:
        words |= {"data": search["data"], "space": search["space"], "epochs": search["epochs"]}
        words |= {"supernet": fidelity.pop("supernet", None), "final_by": fidelity.pop("final", None)}
        words |= {"fidelity": fidelity, "proxy": proxy.pop("name", None), "proxy_options": proxy}
        words |= {"evaluator": search["evaluator"]}
        words["space_settings"] = {k: v for k, v in (search["settings"] or {}).items() if k not in OF_THE_DATA}
    for word, name, usual in (("recipe_values", "final", "final"), ("supernet_values", "supernet", "supernet")):
        usually = recipe(usual).to_json()
        made = recipes.get(name) or {}
        words[word] = {key: value for key, value in made.items() if usually.get(key) != value}
    words["supernet_values"].pop("epochs", None)
    words |= {"strategy": search["strategy"], "seed": search["seed"], "trials": search["trials"]}
    words |= {"objective": goal.get("objectives"), "reward": goal.get("reward") if goal else None}
    words |= {"stopper": stopper.get("kind"), "stop_by": stopper.get("metric")}
    words["warm_start"] = list(search["warm_start"] or {})
    return {name: value for name, value in words.items() if value not in (None, {}, [])}


def _doubts(run: Run, plan: Plan) -> list[str]:
    """Why a repetition may differ although nothing was changed."""
    found = []
    state = run.search["state"]
    if state != "complete":
        found.append(f"{run.name} is {state}, not complete: it is compared as far as it went")
    if plan.workers > 1 and plan.order == "arrival" and not plan.is_gradient:
        found.append(f"results reached the strategy as {plan.workers} workers brought them: proposals may differ")
    if plan.hours is not None or plan.gpu_hours is not None:
        found.append("a budget of time ended the search: how far it comes depends on the machine")
    if plan.words is not None and re.fullmatch(r"\.{0,2}/.*\.py", str(plan.space_name)):
        found.append(f"the space is a file, {shlex.quote(plan.space_name)}: it is taken as it is now")
    return found
