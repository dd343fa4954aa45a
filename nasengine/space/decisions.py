"""The first view of a space: its decisions, a flat conditional table. All that strategies see."""

import itertools
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import comb
from typing import Any

from nasengine.errors import SpaceError
from nasengine.space.nodes import Aside, Choice, Conditional, Graph, Node, Nothing, Op, Read, Repeat, Shared, dotted

Condition = tuple[str, tuple[str, ...]]  # a decision, and the options of it that count
STRENGTH = ("other", "conv", "attention", "mlp", "pool", "norm", "skip", "zero")  # strongest first


@dataclass(frozen=True)
class Decision:
    """One question that an architecture answers with `keep` of the options."""

    name: str
    options: tuple[str, ...]  # the legal ones
    relaxed: tuple[str, ...]  # all that compete in a supernet, in the order declared
    keep: tuple[int, int]
    kinds: Mapping[str, str]  # option -> conv, skip, pool, …; "edge" leads to a further choice, "value" is a number
    when: frozenset[tuple[Condition, ...]] = frozenset()  # alternatives, each a conjunction; none: always asked

    def active(self, picks: Mapping[str, tuple[str, ...]]) -> bool:
        """Whether this is asked, given the picks made so far."""
        if not self.when:
            return True
        return any(
            all(name in picks and not set(options).isdisjoint(picks[name]) for name, options in alternative)
            for alternative in self.when
        )

    @property
    def of_values(self) -> bool:
        """Whether the options are plain values (a size, a rate) rather than pieces of network."""
        return all(kind == "value" for kind in self.kinds.values())

    @property
    def of_edges(self) -> bool:
        """Whether every option leads to a further choice between layers."""
        return all(kind == "edge" for kind in self.kinds.values())

    def ways(self) -> int:
        """How many different picks there are."""
        return sum(comb(len(self.options), k) for k in range(self.keep[0], self.keep[1] + 1))

    def picks(self) -> Iterator[tuple[str, ...]]:
        """Every pick, options in their declared order."""
        for k in range(self.keep[0], self.keep[1] + 1):
            yield from itertools.combinations(self.options, k)

    def draw(self, rng: random.Random, wish: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """A random pick that holds as much of the wish as is legal; an empty wish is for keeping none."""
        least, most = self.keep
        kept = [option for option in dict.fromkeys(wish or ()) if option in self.options][:most]
        if least == most == 1:
            return tuple(kept) or (rng.choice(self.options),)
        if len(kept) < least or not (kept or wish == ()):
            n = len(self.options)
            counts = range(least, most + 1)
            wanted = least if kept else rng.choices(counts, [comb(n, k) for k in counts])[0]
            rest = [option for option in self.options if option not in kept]
            kept += rng.sample(rest, wanted - len(kept))
        return tuple(option for option in self.options if option in kept)


def declared(network: Node) -> dict[str, tuple[Decision, Choice]]:
    """Every decision of a network, each with the first choice node that declares it."""
    table = _Table()
    table.walk(network, "", "", ())
    return table.sorted()


class _Table:
    def __init__(self) -> None:
        self.rows: dict[str, tuple[Decision, Choice]] = {}
        self.places: dict[str, str] = {}
        self.alternatives: dict[str, set[tuple[Condition, ...]]] = {}

    def walk(self, node: Any, scope: str, place: str, conditions: tuple[Condition, ...]) -> None:
        match node:
            case Op(settings=settings):
                for _, value in settings:
                    if isinstance(value, Choice):
                        self.declare(value, scope, place, conditions)
            case Choice(options=options):
                name = self.declare(node, scope, place, conditions)
                for option in options:
                    inner = (*conditions, (name, (option.name,)))
                    self.walk(option.node, dotted(scope, option.name), dotted(place, option.name), inner)
            case Graph(steps=steps):
                for step in steps:
                    inner_scope = dotted(scope, step.name) if step.named else scope
                    self.walk(step.node, inner_scope, dotted(place, step.name), conditions)
            case Read(node=inside):
                self.walk(inside, scope, place, conditions)
            case Shared(name=name, node=inside):
                self.walk(inside, name, place, conditions)
            case Conditional(node=inside):
                if holds_choice(inside):
                    raise SpaceError(f"{place or 'the network'}: only_if holds a choice; it may hold fixed layers only")
            case Aside(name=name, node=inside):
                if holds_choice(inside):
                    raise SpaceError(f"{dotted(place, name)}: an aside holds a choice; it may hold fixed layers only")
            case Repeat(body=body, times=times, tie=tie):
                counts = {times: ()} if isinstance(times, int) else {}
                name = "" if counts else self.declare(times, scope, place, conditions)
                most = times if isinstance(times, int) else max(option.node for option in times.options)
                for i in range(most):
                    inner = conditions
                    if not counts:
                        enough = tuple(option.name for option in times.options if option.node > i)
                        if len(enough) < len(times.options):
                            inner = (*conditions, (name, enough))
                    self.walk(body, scope if tie else dotted(scope, str(i)), dotted(place, str(i)), inner)

    def declare(self, choice: Choice, scope: str, place: str, conditions: tuple[Condition, ...]) -> str:
        name = dotted(scope, choice.name)
        legal = tuple(option.name for option in choice.options if not option.relaxed_only)
        relaxed = tuple(option.name for option in choice.options)
        kinds = {option.name: kind_of(option.node) for option in choice.options}
        new = Decision(name, legal, relaxed, choice.keep, kinds)
        old = self.rows.get(name)
        if old is None:
            self.rows[name] = (new, choice)
            self.places[name] = place or "the network"
        elif (old[0].relaxed, old[0].options, old[0].keep) != (relaxed, legal, choice.keep):
            raise SpaceError(
                f"decision {name!r}: declared at {self.places[name]} with options {list(old[0].relaxed)} "
                f"(keep {old[0].keep}) and at {place or 'the network'} with {list(relaxed)} (keep {choice.keep}); "
                "one name in one namespace is one decision: give it the same options, or another name or namespace"
            )
        else:
            merged = {option: min(old[0].kinds[option], kinds[option], key=_rank) for option in relaxed}
            self.rows[name] = (replace(old[0], kinds=merged), old[1])
        self.alternatives.setdefault(name, set()).add(conditions)
        return name

    def sorted(self) -> dict[str, tuple[Decision, Choice]]:
        """Declared order, except that a decision comes after all that it depends on."""
        done: dict[str, tuple[Decision, Choice]] = {}
        waiting = dict(self.rows)
        while waiting:
            ready = (n for n in waiting if () in (paths := self.alternatives[n]) or _known(paths) <= done.keys())
            name = next(ready, None)
            if name is None:
                raise SpaceError(f"decisions {sorted(waiting)}: each is asked only when another of them is answered")
            decision, choice = waiting.pop(name)
            done[name] = (replace(decision, when=self._when(name)), choice)
        return done

    def _when(self, name: str) -> frozenset[tuple[Condition, ...]]:
        """The alternatives, each without those conditions that its last one already implies."""
        paths = self.alternatives[name]
        if () in paths:
            return frozenset()
        short = set()
        for path in paths:
            last = path[-1]
            ways = {other[:-1] for other in paths if other[-1] == last}
            implied = () in ways or ways == self.alternatives[last[0]]
            short.add((last,) if implied else path)
        return self._when(parent) if (parent := self._always(short)) else frozenset(short)

    def _always(self, paths: set[tuple[Condition, ...]]) -> str | None:
        """A decision that these alternatives hold for whatever it picks: a tie may stand in all of its options."""
        options = {option for path in paths for option in path[0][1]}
        names = {name for path in paths for name, _ in path}
        if len(names) > 1 or any(len(path) > 1 for path in paths):
            return None
        (name,) = names
        parent = self.rows[name][0]
        return name if parent.keep[0] and options.issuperset(parent.options) else None


def _known(paths: set[tuple[Condition, ...]]) -> set[str]:
    """All decisions that the conditions speak of."""
    return {name for path in paths for name, _ in path}


def holds_choice(node: Any) -> bool:
    """Whether a choice stands anywhere in this piece of network, settings included."""
    match node:
        case Choice():
            return True
        case Op(settings=settings):
            return any(isinstance(value, Choice) for _, value in settings)
        case Graph(steps=steps):
            return any(holds_choice(step.node) for step in steps)
        case Repeat(body=body, times=times):
            return isinstance(times, Choice) or holds_choice(body)
        case Read(node=inside) | Shared(node=inside) | Conditional(node=inside):
            return holds_choice(inside)
    return False


def _rank(kind: str) -> int:
    return -1 if kind == "edge" else STRENGTH.index(kind) if kind in STRENGTH else 0


def kind_of(node: Any) -> str:
    """The strongest kind in a piece of network; "edge" where it holds a choice between layers."""
    match node:
        case Choice():
            return "edge" if node.of_nodes else "value"
        case Op(layer=layer):
            if getattr(layer, "training_only", False):
                return "zero"
            return str(getattr(layer, "kind", "other"))
        case Graph(steps=steps):
            kinds = [kind_of(step.node) for step in steps if not isinstance(step.node, Aside)]
            return min(kinds, key=_rank) if kinds else "skip"
        case Repeat(body=inside) | Read(node=inside) | Shared(node=inside) | Conditional(node=inside):
            return kind_of(inside)
        case Nothing():
            return "zero"
        case Node():
            return "skip"
    return "value"
