"""A space of networks: one expression with choices in it, and everything that can be asked of its decisions."""

import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from math import prod
from statistics import fmean, pstdev
from typing import Any

from nasengine.errors import SpaceError, did_you_mean
from nasengine.space.counting import count, enumerate_picks
from nasengine.space.decisions import Decision, declared
from nasengine.space.nodes import Choice, Node
from nasengine.space.picks import Architecture
from nasengine.space.steering import altered, is_steered, steer

Wishes = Mapping[str, tuple[str, ...]]
ENUMERABLE = 10_000_000  # architectures that are looked at one by one, to count those that meet a `where`
TRIES = 1000  # draws before a `where` counts as impossible
FREE_TRIES = 20  # draws before a `where` that can be steered by is
LISTED = 10_000  # architectures that are looked at one by one where such a `where` has to be asked about each
RECIPE = "recipe."


@dataclass(frozen=True)
class Size:
    """How many architectures a space holds; `low` and `high` (95 %) differ where it was estimated by sampling."""

    count: int
    exact: bool = True
    low: int = 0
    high: int = 0


@dataclass(frozen=True, eq=False)
class Space:
    """Networks from `input` (channels, height, width) to the output of `network`, one for each set of picks.

    `recipe` holds training settings to be searched along with the network; `where` says which architectures are
    legal; `settings` are the arguments that the space's function was called with; `allowed` narrows decisions.
    """

    name: str
    input: tuple[int, ...]
    network: Node
    recipe: Mapping[str, Any] = field(default_factory=dict)
    where: Callable[[Architecture], bool] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    allowed: Mapping[str, Collection[str]] = field(default_factory=dict)

    @cached_property
    def _declared(self) -> dict[str, tuple[Decision, Choice]]:
        table = declared(self.network)
        for key, choice in self.recipe.items():
            if isinstance(choice, Choice):
                options = tuple(option.name for option in choice.options)
                kinds = dict.fromkeys(options, "value")
                table[RECIPE + key] = (Decision(RECIPE + key, options, options, (1, 1), kinds), choice)
        return table

    @cached_property
    def decisions(self) -> Mapping[str, Decision]:
        """Every decision by name; one comes after all that it depends on."""
        unknown = [name for name in self.allowed if name not in self._declared]
        if unknown:
            hints = "".join(did_you_mean(name, self._declared) for name in unknown)
            raise SpaceError(f"space {self.name}: there are no decisions {unknown} to restrict.{hints}")
        table: dict[str, Decision] = {}
        for name, (decision, _) in self._declared.items():
            narrow = self._narrow(decision, table)
            if narrow is not None:
                table[name] = narrow
        return table

    @cached_property
    def _open(self) -> tuple[str, ...]:
        """The decisions that can be answered in more than one way."""
        return tuple(name for name, decision in self.decisions.items() if decision.ways() > 1)

    @cached_property
    def _always_asked(self) -> bool:
        """Whether every decision is asked in every architecture: then a changed answer asks nothing new."""
        return not any(decision.when for decision in self.decisions.values())

    def _narrow(self, decision: Decision, table: Mapping[str, Decision]) -> Decision | None:
        """The decision under `allowed`, or None where it can no longer be asked."""
        if not self.allowed:
            return decision
        alternatives = set()
        for path in decision.when:
            left = tuple((n, tuple(o for o in options if n in table and o in table[n].options)) for n, options in path)
            if all(options for _, options in left):
                alternatives.add(left)
        if decision.when and not alternatives:
            return None
        wanted = self.allowed.get(decision.name, decision.options)
        strange = [option for option in wanted if option not in decision.options]
        if strange:
            hints = "".join(did_you_mean(str(option), decision.options) for option in strange)
            raise SpaceError(
                f"decision {decision.name!r}: restricted to {strange}, which it does not have; "
                f"its options are {list(decision.options)}.{hints}"
            )
        options = tuple(option for option in decision.options if option in wanted)
        least, most = decision.keep
        if len(options) < max(least, 1):
            raise SpaceError(
                f"decision {decision.name!r}: restricted to {list(wanted)}, which leaves {list(options)}; "
                f"it keeps at least {max(least, 1)} of {list(decision.options)}"
            )
        relaxed = tuple(o for o in decision.relaxed if o in options or o not in decision.options)
        keep = (least, min(most, len(options)))
        return replace(decision, options=options, relaxed=relaxed, keep=keep, when=frozenset(alternatives))

    def recipe_of(self, architecture: Architecture) -> dict[str, Any]:
        """The training settings that this space fixes or that the architecture picked."""
        return {
            key: architecture.value(RECIPE + key, value) if isinstance(value, Choice) else value
            for key, value in self.recipe.items()
        }

    @property
    def recipe_decisions(self) -> tuple[str, ...]:
        """Names of the decisions that are about training, not about the network."""
        return tuple(RECIPE + key for key, value in self.recipe.items() if isinstance(value, Choice))

    def sizes(self) -> dict[str, tuple[Any, ...]]:
        """The plain values behind each choice between values, where it is first declared."""
        return {n: tuple(o.node for o in c.options) for n, (d, c) in self._declared.items() if d.of_values}

    def faults(self, picks: Wishes) -> list[str]:
        """Everything that is wrong with these picks, in words; empty when they are legal."""
        found: list[str] = []
        asked: dict[str, tuple[str, ...]] = {}
        for name, decision in self.decisions.items():
            if not decision.active(asked):
                continue
            asked[name] = picks.get(name, ())
            options, (least, most) = ", ".join(decision.options), decision.keep
            number = str(least) if least == most else f"{least} to {most}"
            kept = picks.get(name)
            if kept is None:
                found.append(f"{name} is missing; give {number} of {options}")
                continue
            for option in kept:
                if option not in decision.options:
                    hint = did_you_mean(str(option), decision.options)
                    found.append(f"{name}: {option!r} is no option; the options are {options}.{hint}")
            if len(set(kept)) != len(kept):
                found.append(f"{name}: {list(kept)} names an option twice; give {number} different ones of {options}")
            elif not least <= len(kept) <= most:
                found.append(f"{name}: {len(kept)} options came ({list(kept)}); give {number} of {options}")
        for name in picks:
            if name not in asked:
                if name in self.decisions:
                    found.append(f"{name} is not asked with the other picks; leave it out")
                else:
                    found.append(f"{name} is no decision of space {self.name}.{did_you_mean(name, self.decisions)}")
        if not found and self.where is not None and not self.where(Architecture(dict(picks))):
            found.append(f"the picks break the condition of the space: {self.condition_words()}")
        return found

    def check(self, picks: Wishes) -> Architecture:
        """The architecture of these picks, options in their declared order; raises SpaceError with every fault."""
        found = self.faults(picks)
        if found:
            raise SpaceError(f"architecture in space {self.name}: " + "; ".join(found))
        active = (d for d in self.decisions.values() if d.name in picks)
        return Architecture({d.name: tuple(o for o in d.options if o in picks[d.name]) for d in active})

    def follow(self, wishes: Wishes, rng: random.Random) -> Architecture:
        """An architecture that keeps every legal wish and is random elsewhere.

        Under a `where` that the wishes break, more and more of them are dropped until it holds; where it says how far
        it is from that, only those that are in its way.
        """
        for attempt in range(FREE_TRIES if is_steered(self.where) else TRIES):
            dropping = attempt / TRIES
            kept = {n: w for n, w in wishes.items() if not attempt or rng.random() >= dropping}
            made = self.complete(kept, rng)
            if self.where is None or self.where(made):
                return made
        found = steer(self, wishes, rng)
        if found is None:
            raise SpaceError(
                f"space {self.name}: none of {TRIES} random architectures meets its condition "
                f"({self.condition_words()}); loosen the condition, or build it into the choices"
            )
        return found

    def complete(self, wishes: Wishes, rng: random.Random) -> Architecture:
        """An architecture that keeps every legal wish and is random elsewhere, whether or not it meets the `where`."""
        picks: dict[str, tuple[str, ...]] = {}
        for name, decision in self.decisions.items():
            if decision.active(picks):
                picks[name] = decision.draw(rng, wishes.get(name))
        return Architecture(picks)

    def condition_words(self) -> str:
        where = self.where
        return (getattr(where, "__doc__", None) or getattr(where, "__name__", None) or "its where").strip()

    def sample(self, rng: random.Random) -> Architecture:
        """A random architecture: each decision that is asked is drawn uniformly."""
        return self.follow({}, rng)

    def open_decisions(self, architecture: Architecture) -> Sequence[str]:
        """The decisions that it is asked and could answer otherwise."""
        picks = architecture.picks
        return self._open if len(picks) == len(self.decisions) else [n for n in self._open if n in picks]

    def mutate(self, architecture: Architecture, rng: random.Random) -> Architecture:
        """A neighbour: one decision answered differently, what that newly asks drawn at random.

        Where a `where` that can be steered by allows none of many, others are answered differently as well.
        """
        open_ones = self.open_decisions(architecture)
        for _ in range(TRIES if open_ones else 0):
            _, changed = altered(self, architecture, open_ones, rng)
            made = Architecture(changed) if self._always_asked else self.complete(changed, rng)
            if self.where is None or self.where(made):
                return made
        for _ in range(FREE_TRIES if open_ones and is_steered(self.where) else 0):
            name, changed = altered(self, architecture, open_ones, rng)
            found = steer(self, changed, rng, fixed=name)
            if found is not None:
                return found
        raise SpaceError(f"space {self.name}: this architecture has no legal neighbour; nothing in it can be changed")

    def cross(self, a: Architecture, b: Architecture, rng: random.Random) -> Architecture:
        """A child that answers each decision as one of its parents did, wherever they were asked."""
        names = dict.fromkeys([*a.picks, *b.picks])
        wishes = {n: rng.choice([parent.picks[n] for parent in (a, b) if n in parent.picks]) for n in names}
        return self.follow(wishes, rng)

    def enumerate(self) -> Iterator[Architecture]:
        """Every legal architecture, in the order of decisions and options."""
        for picks in enumerate_picks(list(self.decisions.values())):
            made = Architecture(picks)
            if self.where is None or self.where(made):
                yield made

    def count(self) -> int:
        """The exact number of architectures; raises SpaceError where only `size()` can estimate it."""
        size = self.size()
        if not size.exact:
            raise SpaceError(f"space {self.name}: too large to count exactly under its condition; use size()")
        return size.count

    def size(self, samples: int = 2000) -> Size:
        """The number of architectures: exact, or a sampled estimate with its bounds where it cannot be."""
        try:
            everything: int | None = count(self.decisions)
        except OverflowError:
            everything = None
        if everything is not None and self.where is None:
            return Size(everything)
        if everything is not None and everything <= (LISTED if is_steered(self.where) else ENUMERABLE):
            return Size(sum(1 for _ in self.enumerate()))
        return self._sampled_size(samples, everything)

    def _sampled_size(self, samples: int, most: int | None) -> Size:
        """Knuth's estimate (1975, https://doi.org/10.2307/2005469): the mean of 1 / (a draw's probability)."""
        rng = random.Random(0)
        weights = []
        for _ in range(samples):
            made = self.complete({}, rng)
            ways = prod(self.decisions[name].ways() for name in made.picks)
            weights.append(ways if self.where is None or self.where(made) else 0)
        mean = fmean(weights)
        margin = 1.96 * max(pstdev(weights) / samples**0.5, (max(weights) or most or 0) / samples)
        high = mean + margin if most is None else min(mean + margin, most)
        return Size(int(mean), False, int(max(mean - margin, 0)), int(high))

    def restrict(self, allowed: Mapping[str, Collection[str]]) -> "Space":
        """The same space with only these options of the named decisions; the supernet stays whole."""
        return replace(self, allowed={**self.allowed, **allowed})

    def small(self, limit: int = 500) -> "Space":
        """A copy with at most `limit` architectures (before `where`), for tests: later decisions lose options first."""
        allowed = {n: d.options[: max(3, d.keep[0])] for n, d in self.decisions.items()}
        made = self.restrict(allowed)
        for least in (2, 1):
            for name in reversed(list(allowed)):
                if count(made.decisions) <= limit:
                    return made
                allowed[name] = allowed[name][: max(least, self.decisions[name].keep[0])]
                made = self.restrict(allowed)
        return made

    def first(self, number: int) -> list[Architecture]:
        """The first architectures of `enumerate`."""
        return list(islice(self.enumerate(), number))
