"""What a search makes large or small: values by name, bounds on them, and the one number that strategies are told."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal, Self

from nasengine.errors import NasError

SMALLER = ("loss", "params", "macs", "seconds", "latency", "energy", "memory", "error")  # words of what is a cost
UNITS = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}
_FORM = re.compile(r"(?:(max|min):)?([A-Za-z]\w*)(?:\s*<\s*(\d+(?:\.\d*)?(?:e[+-]?\d+)?)([kMG]?))?")

Reward = Literal["soft", "hard"]
EXPONENTS: dict[Reward, tuple[float, float]] = {"soft": (-0.07, -0.07), "hard": (0.0, -1.0)}  # below, above the bound


@dataclass(frozen=True)
class Objective:
    """One value to be made large (`sign` 1) or small (-1), with the bound to hold it under, where there is one."""

    name: str
    sign: int = 1
    bound: float | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `validation_accuracy`, `params`, `min:NAME`, `max:NAME` or `latency<8`, `params<3M`."""
        match = _FORM.fullmatch(text.strip())
        if match is None or (match[1] == "max" and match[3] is not None):
            raise NasError(
                f"objective {text!r}: give a value's name, with max: or min: before it or a bound behind it: "
                "validation_accuracy, min:params, params<3M"
            )
        way, name, bound, unit = match.groups()
        small = way == "min" or bound is not None or (way is None and any(word in name for word in SMALLER))
        return cls(name, -1 if small else 1, None if bound is None else float(bound) * UNITS[unit])

    def __str__(self) -> str:
        return (
            f"{'max' if self.sign > 0 else 'min'}:{self.name}" if self.bound is None else f"{self.name}<{self.bound!r}"
        )


@dataclass(frozen=True)
class Goal:
    """All objectives of a search; the first one is what a strategy with one number is told.

    Bounded ones enter that number by the reward of MnasNet (Tan et al., 2019, https://arxiv.org/abs/1807.11626): it is
    multiplied by (value / bound) ** w. `soft` takes w = -0.07 on both sides of the bound; `hard` takes 0 below it and
    -1 above.
    """

    objectives: tuple[Objective, ...]
    reward: Reward = "soft"

    @classmethod
    def parse(cls, texts: Sequence[str], reward: Reward = "soft") -> Self:
        """Read objectives; the first has to be one to be made large where others are bounded."""
        made = tuple(Objective.parse(text) for text in texts)
        names = [one.name for one in made]
        if not made or len(set(names)) < len(names):
            raise NasError(f"objectives came as {list(texts)}; give at least one, and each value once")
        if reward not in EXPONENTS:
            raise NasError(f"reward came as {reward!r}; allowed are {', '.join(EXPONENTS)}")
        if any(one.bound is not None for one in made) and (made[0].sign < 0 or made[0].bound is not None):
            raise NasError(f"objectives came as {list(texts)}; bounds need an objective to be made large before them")
        if any(one.bound is not None and not (isfinite(one.bound) and one.bound > 0) for one in made):
            raise NasError(f"objectives came as {list(texts)}; a bound is a number above 0")
        return cls(made, reward)

    @property
    def first(self) -> str:
        """The name of the first objective's value."""
        return self.objectives[0].name

    def to_json(self) -> dict[str, Any]:
        """What the results database keeps."""
        return {"objectives": [str(one) for one in self.objectives], "reward": self.reward}

    def missing(self, values: Mapping[str, float]) -> list[str]:
        """The objectives that these values say nothing of."""
        return [one.name for one in self.objectives if not isfinite(values.get(one.name, float("nan")))]

    def each(self, values: Mapping[str, float]) -> tuple[float, ...]:
        """Every objective, turned so that larger is better."""
        return tuple(one.sign * values[one.name] for one in self.objectives)

    def value(self, values: Mapping[str, float]) -> float:
        """The one number: the first objective, times the rewards of those that are bounded."""
        total = self.objectives[0].sign * values[self.first]
        for one in self.objectives:
            if one.bound is not None:
                below, above = EXPONENTS[self.reward]
                share = values[one.name] / one.bound
                total *= share ** (below if share <= 1 else above) if share > 0 else 1.0
        return total


ACCURACY = Goal((Objective("validation_accuracy"),))
