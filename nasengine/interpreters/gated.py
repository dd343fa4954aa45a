"""A space as its supernet's gates see it: what is gated, what stays open, and what scores of gates settle on."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nasengine.errors import SpaceError
from nasengine.interpreters.depth import namespaces
from nasengine.space import Architecture, Choice, Space

Pair = tuple[str, str]  # decision, option
Scores = Mapping[Pair, float]


@dataclass(frozen=True)
class Rows:
    """Decisions of one namespace with one list of options: the rows and columns of one tensor of gates."""

    namespace: str
    decisions: tuple[str, ...]
    options: tuple[str, ...]
    kinds: tuple[tuple[str, ...], ...]  # of each option, by decision


def gated(space: Space) -> tuple[Rows, ...]:
    """All choices between layers that leave a choice, stacked where their lists of options are equal."""
    groups: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    owners = namespaces(space)
    for name, decision in space.decisions.items():
        if not decision.of_edges and not decision.of_values and len(decision.relaxed) > 1:
            groups.setdefault((owners[name], decision.relaxed), []).append(name)
    return tuple(
        Rows(owner, tuple(names), options, tuple(tuple(space.decisions[n].kinds[o] for o in options) for n in names))
        for (owner, options), names in groups.items()
    )


def refuse_sizes(space: Space, strategy: str) -> None:
    """Raise SpaceError for every decision between plain values: gates weigh layers, a number has no half."""
    open_ones = [d for d in space.decisions.values() if d.of_values and len(d.options) > 1]
    if open_ones:
        words = "; ".join(f"{d.name} (one of {', '.join(d.options)})" for d in open_ones)
        example = {d.name: [d.options[-1]] for d in open_ones[:1]}
        raise SpaceError(
            f"strategy {strategy}: space {space.name} has decisions between sizes, and gates can only weigh layers "
            f"against each other: {words}; fix each with space.restrict({example}), write them as options between "
            "layers, or search with a strategy that proposes, such as random-search"
        )
    if not gated(space):
        raise SpaceError(
            f"strategy {strategy}: space {space.name} has no choice between layers; there is nothing to gate"
        )


class Opened:
    """Picks of a whole supernet within what a restricted space still allows."""

    def __init__(self, space: Space):
        self.decisions = space.decisions

    def gates(self, name: str, choice: Choice) -> Mapping[str, Any]:
        """All options that are allowed."""
        return dict.fromkeys(self.decisions[name].relaxed, 1.0)

    def value(self, name: str, choice: Choice) -> Any:
        """The size that is allowed."""
        return choice.value(self.decisions[name].options[-1])

    def asked(self, name: str) -> bool:
        """Whether the restricted space still asks it."""
        return name in self.decisions


def below(space: Space) -> dict[str, dict[str, list[str]]]:
    """Decision -> option -> the decisions that are asked because of it."""
    found: dict[str, dict[str, list[str]]] = {}
    for name, decision in space.decisions.items():
        for path in sorted(decision.when):
            parent, options = path[-1]
            for option in options:
                found.setdefault(parent, {}).setdefault(option, []).append(name)
    return found


def pooled(space: Space, scores: Scores) -> dict[str, list[Pair]]:
    """What published rules that pool (option, source) pairs keep: per node the best pairs of all its edges.

    Two pairs may come from one source. Choices below no edge keep their own best options. Legal options only.
    """
    children, best, under = below(space), {}, set()
    for name, decision in space.decisions.items():
        if decision.of_edges:
            inside = [child for option in decision.options for child in children[name].get(option, ())]
            under.update(inside)
            best[name] = _top(
                [pair for child in inside for pair in _legal(space, child, scores)], scores, decision.keep[1]
            )
    for rows in gated(space):
        for name in rows.decisions:
            if name not in under:
                best[name] = _top(_legal(space, name, scores), scores, space.decisions[name].keep[1])
    return best


def settle(space: Space, scores: Scores) -> Architecture:
    """The best legal architecture: an edge is as strong as the best option on it, the strongest of each choice stay.

    Among equals the first declared wins. Where the space has a condition that this breaks, the nearest that meets it.
    """
    settling = _Settling(space, scores)
    picks: dict[str, tuple[str, ...]] = {}
    for name, decision in space.decisions.items():
        if decision.active(picks):
            kept = sorted(decision.options, key=lambda option: -settling.score(name, option))[: decision.keep[1]]
            picks[name] = tuple(option for option in decision.options if option in kept)
    return space.follow(picks, random.Random(0))


class _Settling:
    def __init__(self, space: Space, scores: Scores):
        self.space, self.scores, self.children = space, scores, below(space)

    def score(self, name: str, option: str) -> float:
        """An option's own score; an edge's is that of the choices it leads to."""
        if (name, option) in self.scores:
            return self.scores[name, option]
        inside = [self.strength(child) for child in self.children.get(name, {}).get(option, ())]
        return sum(inside) / len(inside) if inside else 0.0

    def strength(self, name: str) -> float:
        decision = self.space.decisions[name]
        best = sorted((self.score(name, option) for option in decision.options), reverse=True)[: decision.keep[1]]
        return sum(best) / len(best)


def _legal(space: Space, name: str, scores: Scores) -> list[Pair]:
    return [(name, option) for option in space.decisions[name].options if (name, option) in scores]


def _top(pairs: list[Pair], scores: Scores, keep: int) -> list[Pair]:
    return sorted(pairs, key=lambda pair: -scores[pair])[:keep]
