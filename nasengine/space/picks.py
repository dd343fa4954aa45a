"""Picks say which options are on: one architecture, everything at once, or a soft mixture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from nasengine.errors import SpaceError
from nasengine.space.nodes import Choice

Gate = Any  # a float or a scalar tensor; the float 0.0 is not run, the float 1.0 adds no multiplication


class Picks(Protocol):
    """What a walk asks at each choice."""

    def gates(self, name: str, choice: Choice) -> Mapping[str, Gate]:
        """The options that are on, each with its gate."""

    def value(self, name: str, choice: Choice) -> Any:
        """The value of a choice between plain values."""

    def asked(self, name: str) -> bool:
        """Whether the decision is answered at all."""


@dataclass(frozen=True, eq=False)
class Architecture:
    """One network of a space: per active decision the names of the options kept. Hashable; what is stored."""

    picks: Mapping[str, tuple[str, ...]]

    def gates(self, name: str, choice: Choice) -> Mapping[str, Gate]:
        """Ones for the options kept."""
        return dict.fromkeys(self._of(name), 1.0)

    def value(self, name: str, choice: Choice) -> Any:
        """The value behind the one option kept."""
        return choice.value(self._of(name)[0])

    def asked(self, name: str) -> bool:
        """Whether the decision is active in this architecture."""
        return name in self.picks

    def _of(self, name: str) -> tuple[str, ...]:
        try:
            return self.picks[name]
        except KeyError:
            raise SpaceError(
                f"architecture: it holds no pick for {name!r}, which this network asks; "
                "build it in the space it was made in, or complete it with space.follow(picks, rng)"
            ) from None

    @cached_property
    def _key(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        return tuple(sorted(self.picks.items()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Architecture) and self.picks == other.picks

    def __hash__(self) -> int:
        return hash(self._key)

    def to_json(self) -> dict[str, list[str]]:
        """A plain dictionary: decision name to the list of option names kept."""
        return {name: list(kept) for name, kept in self.picks.items()}

    @classmethod
    def from_json(cls, picks: Mapping[str, Sequence[str]]) -> "Architecture":
        """The architecture of a dictionary as `to_json` writes it."""
        return cls({name: tuple(kept) for name, kept in picks.items()})


@dataclass(frozen=True)
class Everything:
    """Every option on, every size at its largest: the supernet."""

    def gates(self, name: str, choice: Choice) -> Mapping[str, Gate]:
        """Ones for all options, the relaxed-only ones too."""
        return {option.name: 1.0 for option in choice.options}

    def value(self, name: str, choice: Choice) -> Any:
        """The largest number, or the first option where they are not numbers."""
        values = [option.node for option in choice.options]
        return max(values) if all(isinstance(v, (int, float)) for v in values) else values[0]

    def asked(self, name: str) -> bool:
        """Every decision is."""
        return True


EVERYTHING = Everything()


@dataclass(frozen=True, eq=False)
class Mixture:
    """Soft or sampled gates over a base: decisions named in `by_decision` mix, all others are as in `base`."""

    by_decision: Mapping[str, Mapping[str, Gate]]
    base: Picks = field(default_factory=Everything)

    def gates(self, name: str, choice: Choice) -> Mapping[str, Gate]:
        """The mixture's own gates, or those of the base."""
        mixed = self.by_decision.get(name)
        return self.base.gates(name, choice) if mixed is None else mixed

    def value(self, name: str, choice: Choice) -> Any:
        """Sizes are those of the base."""
        return self.base.value(name, choice)

    def asked(self, name: str) -> bool:
        """Whether this mixes the decision or the base answers it."""
        return name in self.by_decision or self.base.asked(name)


@dataclass(frozen=True)
class Published:
    """An architecture with a name: its picks, and the settings of the space it was published with."""

    picks: Mapping[str, tuple[str, ...]]
    settings: Mapping[str, Any]
    note: str = ""
