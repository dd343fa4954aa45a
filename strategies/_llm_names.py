"""What a language model calls the decisions and options of a space: their own names, or neutral ones.

A model may have read the published results of a benchmark. Under neutral names, in another order and without
explanations, what it knows by heart is of no use; what it still finds, it learned from the results it was told.
"""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from nasengine.space import Architecture, Decision, Space
from nasengine.space.steering import is_steered


@dataclass(frozen=True)
class Names:
    """The space as the model sees it, and architectures translated into its names and back."""

    original: Space
    space: Space
    decisions: Mapping[str, str]  # original name -> the model's
    options: Mapping[str, str]

    def told(self, architecture: Architecture) -> Architecture:
        """An architecture in the model's names."""
        return _translated(architecture, self.decisions, self.options, self.space)

    def meant(self, architecture: Architecture) -> Architecture:
        """An architecture of the model's in its own names."""
        decisions = {new: old for old, new in self.decisions.items()}
        return _translated(architecture, decisions, {new: old for old, new in self.options.items()}, self.original)


def own_names(space: Space) -> Names:
    """Everything is called what it is called."""
    options = {option for decision in space.decisions.values() for option in decision.options}
    return Names(space, space, {name: name for name in space.decisions}, {option: option for option in options})


def neutral_names(space: Space, seed: int) -> Names:
    """Decisions are q1, q2, … and options o1, o2, …, in an order drawn from the seed.

    What is equal stays equal: an option's name is the same wherever it stands, so that a model can learn what it is
    worth. A decision still comes after those that it depends on.
    """
    rng = random.Random(seed)
    order = _shuffled(space, rng)
    decisions = {old: f"q{i + 1}" for i, old in enumerate(order)}
    options = list(dict.fromkeys(option for decision in space.decisions.values() for option in decision.options))
    rng.shuffle(options)
    named = {old: f"o{i + 1}" for i, old in enumerate(options)}
    table = {decisions[old]: _renamed(space.decisions[old], decisions, named) for old in order}
    names = Names(space, space, decisions, named)

    where = None if space.where is None else (_Measured if is_steered(space.where) else _Legal)(names)
    return Names(space, _Renamed("it", space.input, space.network, where=where, table=table), decisions, named)


@dataclass(frozen=True, eq=False)
class _Legal:
    """a condition that you are not told; answers that break it are sent back"""

    names: Names

    def __call__(self, architecture: Architecture) -> bool:
        return self.names.original.where is None or self.names.original.where(self.names.meant(architecture))


class _Measured(_Legal):
    __doc__ = _Legal.__doc__

    def violation(self, architecture: Architecture) -> float:
        where = self.names.original.where
        assert is_steered(where)
        return where.violation(self.names.meant(architecture))


@dataclass(frozen=True, eq=False)
class _Renamed(Space):
    """The decisions of a space under other names; it answers everything but questions about the network."""

    table: Mapping[str, Decision] = field(default_factory=dict)

    @cached_property
    def decisions(self) -> Mapping[str, Decision]:
        """As they were renamed."""
        return self.table


def _shuffled(space: Space, rng: random.Random) -> list[str]:
    waiting = list(space.decisions)
    rng.shuffle(waiting)
    order: list[str] = []
    while waiting:
        order.append(next(name for name in waiting if _parents(space.decisions[name]) <= set(order)))
        waiting.remove(order[-1])
    return order


def _parents(decision: Decision) -> set[str]:
    return {name for path in decision.when for name, _ in path}


def _renamed(decision: Decision, decisions: Mapping[str, str], options: Mapping[str, str]) -> Decision:
    def some(names: Iterable[str]) -> tuple[str, ...]:
        """In the order of the new names: the old order says something too."""
        return tuple(sorted((options[name] for name in names), key=lambda name: int(name[1:])))

    when = frozenset(tuple((decisions[name], some(kept)) for name, kept in path) for path in decision.when)
    kept = some(decision.options)
    return Decision(decisions[decision.name], kept, kept, decision.keep, dict.fromkeys(kept, "other"), when)


def _translated(
    architecture: Architecture, decisions: Mapping[str, str], options: Mapping[str, str], space: Space
) -> Architecture:
    """The picks under other names, decisions and options in the order of the space that has these names."""
    picks = {decisions[name]: {options[option] for option in kept} for name, kept in architecture.picks.items()}
    return Architecture(
        {n: tuple(o for o in d.options if o in picks[n]) for n, d in space.decisions.items() if n in picks}
    )
