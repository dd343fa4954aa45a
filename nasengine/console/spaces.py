"""What a space is, how many architectures it holds, and what they cost."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from nasengine import plugins
from nasengine.console import exits
from nasengine.console.flags import named
from nasengine.console.listings import as_json, settings
from nasengine.console.output import emit, number, say
from nasengine.errors import PlugInError
from nasengine.space import Space

FOUND_BY = "found by hill climbing"
Settings = Mapping[str, Any]


def count(name: str, given: Settings, json: bool) -> None:
    """Show the number of architectures, exact or estimated."""
    space = plugins.load_space(name, given)
    if json:
        emit({"space": name, **_size(space)})
    else:
        say(size_words(space))


def _size(space: Space) -> dict[str, Any]:
    size = space.size()
    return {"count": size.count, "exact": size.exact, **({} if size.exact else {"low": size.low, "high": size.high})}


def size_words(space: Space) -> str:
    """The number of architectures in words."""
    size = space.size()
    if size.exact:
        return f"{size.count:,} architectures"
    return f"about {size.count:,} architectures ({size.low:,} to {size.high:,}, estimated by sampling)"


def cost(name: str, chosen: str | None, given: Settings, db: str, json: bool) -> None:
    """Show parameters and multiply-adds of an architecture, or of the smallest and the largest."""
    if chosen is None:
        _cost_of_extremes(plugins.load_space(name, given), name, json)
        return
    from nasengine.interpreters.cost import cost as cost_of

    picks, published = _picks_of(name, chosen, db)
    space = plugins.load_space(name, {**published, **given})
    counted = cost_of(space, space.check(picks))
    if json:
        facts = {"space": name, "architecture": chosen, "settings": dict(space.settings)}
        emit({**facts, "params": counted.params, "macs": counted.macs})
    else:
        say(f"{chosen} in {name}: {number(counted.params)} parameters, {number(counted.macs)} multiply-adds an image")


def _picks_of(name: str, chosen: str, db: str) -> tuple[Mapping[str, tuple[str, ...]], Mapping[str, Any]]:
    """Picks and settings; of a published name without the results database, which takes long to load."""
    try:
        known = plugins.published(name, chosen)
    except PlugInError:
        from nasengine.runs import picks_of

        return picks_of(name, chosen, named(db))
    return known.picks, known.settings


def _cost_of_extremes(space: Space, name: str, json: bool) -> None:
    from nasengine.interpreters.extremes import extremes

    smallest, largest = extremes(space, random.Random(0))
    if json:
        both = {"smallest": vars(smallest), "largest": vars(largest)}
        emit({"space": name, "settings": dict(space.settings), **both, "found_by": "hill climbing"})
    else:
        say(extreme_words(smallest, largest))


def extreme_words(smallest: Any, largest: Any) -> str:
    """Both ends in two lines."""
    return (
        f"parameters     {number(smallest.params)} to {number(largest.params)} ({FOUND_BY})\n"
        f"multiply-adds  {number(smallest.macs)} to {number(largest.macs)} an image ({FOUND_BY})"
    )


def describe(name: str, given: Settings, json: bool) -> None:
    """Describe a space in words, with its settings and its published architectures."""
    from nasengine.interpreters import prose

    space = plugins.load_space(name, given)
    known = getattr(plugins.load("space", name), "ARCHITECTURES", {})
    if not json:
        say(prose.describe(space))
        say(f"\n{size_words(space)}")
        if known:
            say(f"Published: {', '.join(known)}")
        say("\nSettings:")
        settings("space", name, json=False)
        return
    emit(
        {
            "name": name,
            "input": space.input,
            "text": prose.describe(space),
            "settings": [as_json(setting) for setting in plugins.signature("space", name)],
            "decisions": {decision.name: _decision(decision) for decision in space.decisions.values()},
            "architectures": {word: published.note for word, published in known.items()},
            **_size(space),
            "schema": prose.schema(space),
        }
    )


def _decision(decision: Any) -> dict[str, Any]:
    when = [{name: options for name, options in path} for path in sorted(decision.when)]
    return {"options": decision.options, "keep": decision.keep, "kinds": dict(decision.kinds), "when": when}


def check(name: str, given: Settings, objectives: Sequence[str], db: str, json: bool) -> int:
    """Run the contract of spaces on one, a line for each part of it; exit code 1 where one is broken.

    With objectives it is also checked that their devices are there, and that their bounds can be met.
    """
    from nasengine.testing import check_space
    from nasengine.testing.report import Report

    space = plugins.load_space(name, given)  # for its words where a setting is wrong
    goal = Report(f"objectives in {name}")
    if objectives:
        with goal.claim("its objectives are known, and their bounds can be met"):
            _meet(space, objectives, db)
    report = [*goal, *check_space(plugins.load("space", name), given)]
    ok = all(check.ok for check in report)
    if json:
        checks = [{"name": check.name, "ok": check.ok, "fault": check.fault or None} for check in report]
        emit({"space": name, "ok": ok, "checks": checks})
    else:
        for check in report:
            say(f"ok      {check.name}" if check.ok else f"not ok  {check.name}: {check.fault}")
    return exits.OK if ok else exits.FAILED


def _meet(space: Space, objectives: Sequence[str], db: str) -> None:
    from nasengine.plan_goal import estimate_of, figures_of
    from nasengine.search.constraints import bounded
    from nasengine.search.objective import Goal

    goal = Goal.parse(objectives)
    bounded(space, goal, estimate_of(space, figures_of(space, goal, named(db))))
