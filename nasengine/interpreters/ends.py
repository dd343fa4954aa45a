"""The largest and the smallest network of a space by multiply-adds: always the same, whatever its condition says."""

import random
from collections.abc import Iterator, Mapping

from nasengine.errors import SpaceError
from nasengine.interpreters.cost import cost
from nasengine.space import Architecture, Space
from nasengine.space.decisions import Decision

PICKS = 64  # most answers tried for one decision; where there are more, one option is exchanged at a time

Picked = tuple[str, ...]
Wishes = Mapping[str, Picked]


def largest(space: Space) -> Architecture:
    """The network of most multiply-adds, and of most parameters among equals.

    It begins with the last options, and takes one better answer after the other until none is left: where decisions
    weigh each other up, a still larger network may exist. A `where` is not asked.
    """
    return _climbed(space, 1)


def smallest(space: Space) -> Architecture:
    """The network of fewest multiply-adds, and of fewest parameters among equals; found as `largest` is."""
    return _climbed(space, -1)


def _climbed(space: Space, sign: int) -> Architecture:
    wishes = {name: _first(decision, sign) for name, decision in space.decisions.items()}
    best = _value(space, wishes, sign)
    if best is None:  # such a network does not exist: begin with one that does
        wishes |= space.sample(random.Random(0)).picks
        best = _value(space, wishes, sign)
    waiting = [name for name in space.decisions if name not in space.recipe_decisions]
    open_ones = list(waiting)
    while waiting:
        name = waiting.pop(0)
        if name not in asked(space, wishes):
            continue
        for picked in _others(space.decisions[name], wishes[name]):
            value = _value(space, {**wishes, name: picked}, sign)
            if value is not None and (best is None or value > best):
                best, wishes = value, {**wishes, name: picked}
                waiting = [other for other in open_ones if other != name]
    return Architecture(asked(space, wishes))


def asked(space: Space, wishes: Wishes) -> dict[str, Picked]:
    """The answers to the decisions that are asked, where there is an answer to each."""
    picks: dict[str, Picked] = {}
    for name, decision in space.decisions.items():
        if decision.active(picks):
            picks[name] = wishes[name]
    return picks


def _first(decision: Decision, sign: int) -> Picked:
    """As many of the last options as may be kept, or as few of the first."""
    least, most = decision.keep
    return decision.options[-most:] if sign > 0 else decision.options[:least]


def _value(space: Space, wishes: Wishes, sign: int) -> tuple[int, int] | None:
    """What is to be made large; None where these answers make no network."""
    try:
        found = cost(space, Architecture(asked(space, wishes)))
    except SpaceError:
        return None
    return sign * found.macs, sign * found.params


def _others(decision: Decision, picked: Picked) -> Iterator[Picked]:
    """Other answers to a decision."""
    if decision.ways() <= PICKS:
        yield from (other for other in decision.picks() if other != picked)
        return
    for option in picked:
        for new in decision.options:
            if new not in picked:
                yield tuple(o for o in decision.options if o == new or (o in picked and o != option))
