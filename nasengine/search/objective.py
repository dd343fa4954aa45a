"""What a search makes large or small: values by name, bounds on them, and the one number that strategies are told."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal, Self

from nasengine.errors import NasError

SMALLER = (  # words of what is a cost
    "loss", "params", "macs", "seconds", "latency", "energy", "memory", "error", "mae", "rmse",
)  # fmt: skip
MEASURED = (  # figures of a training, by which candidates are compared on validation images
    "accuracy", "balanced_accuracy", "top5_accuracy", "f1", "loss", "r2", "mae", "rmse", "iou", "pixel_accuracy",
)  # fmt: skip
WORDS = {**{figure: f"validation_{figure}" for figure in MEASURED}, "memory": "memory_bytes"}
ON_DEVICES = {"latency": "latency_ms", "energy": "energy_mj"}  # without a device these are names like any other
COUNTED = ("params", "macs", "memory_bytes")

PLAIN = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}
BYTES: dict[str, float] = {
    "": 1, "B": 1, "KB": 1024, "KiB": 1024, "MB": 1024**2, "MiB": 1024**2, "GB": 1024**3, "GiB": 1024**3,
}  # fmt: skip
UNITS: dict[str, dict[str, float]] = {  # of the values that have some of their own
    "memory_bytes": BYTES,
    "latency_ms": {"": 1.0, "ms": 1.0, "us": 1e-3, "s": 1e3},
    "energy_mj": {"": 1.0, "mJ": 1.0, "uJ": 1e-3, "J": 1e3},
}
_FORM = re.compile(
    r"(?:(max|min):)?([A-Za-z]\w*)(@[^\s<>@]+)?(?:\s*<\s*(\d+(?:\.\d*)?(?:e[+-]?\d+)?)\s*([A-Za-z]*)(@[^\s<>@]+)?)?"
)

Reward = Literal["constraint", "soft", "hard"]
REWARDS: tuple[Reward, ...] = ("constraint", "soft", "hard")
EXPONENTS: dict[Reward, tuple[float, float]] = {"soft": (-0.07, -0.07), "hard": (0.0, -1.0)}  # below, above the bound


def known_before_training(name: str) -> bool:
    """Whether a value follows from the architecture alone: a size, or what it takes on a device."""
    plain, at, device = name.partition("@")
    return plain in COUNTED if not at else plain in ON_DEVICES.values() and bool(device)


@dataclass(frozen=True)
class Objective:
    """One value to be made large (`sign` 1) or small (-1), with the bound to hold it under, where there is one."""

    name: str
    sign: int = 1
    bound: float | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what a user says: `accuracy`, `min:params`, `params<3M`, `memory<320KB`, `latency<8ms@cpu`, ….

        The words accuracy, loss and other figures of a training, memory, latency@DEVICE and energy@DEVICE stand for
        the values that are called validation_accuracy, …, memory_bytes, latency_ms@DEVICE and energy_mj@DEVICE. KB, MB
        and GB are of 1024. Without a device, latency and energy are values of those very names, as a table may have
        them.
        """
        way, name, device, bound, unit = _parts(text)
        if name in ON_DEVICES and unit and not device:
            raise NasError(f"objective {text!r}: it names no device; give one: {name}<{bound}{unit}@cpu")
        name = (ON_DEVICES if device else WORDS).get(name, name)
        return cls._made(way, name + device, None if bound is None else _number(text, name, bound, unit))

    @classmethod
    def recorded(cls, text: str) -> Self:
        """Read what `str` wrote into a database: no word stands for another, and bounds have no unit."""
        way, name, device, bound, _ = _parts(text)
        return cls._made(way, name + device, None if bound is None else float(bound))

    @classmethod
    def _made(cls, way: str | None, name: str, bound: float | None) -> Self:
        cost = way is None and any(word in name.partition("@")[0] for word in SMALLER)
        return cls(name, -1 if way == "min" or bound is not None or cost else 1, bound)

    def __str__(self) -> str:
        return (
            f"{'max' if self.sign > 0 else 'min'}:{self.name}" if self.bound is None else f"{self.name}<{self.bound!r}"
        )


def _parts(text: str) -> tuple[str | None, str, str, str | None, str]:
    """Way, name, device with its @ (or nothing), bound and unit of an objective."""
    match = _FORM.fullmatch(text.strip())
    if match is None or (match[1] == "max" and match[4] is not None) or (match[3] and match[6]):
        raise NasError(
            f"objective {text!r}: give a value's name, with max: or min: before it or a bound behind it: "
            "accuracy, min:params, params<3M, memory<320KB, latency<8ms@cpu"
        )
    return match[1], match[2], match[3] or match[6] or "", match[4], match[5] or ""


def _number(text: str, name: str, bound: str, unit: str) -> float:
    units = UNITS.get(name, PLAIN)
    if unit not in units:
        raise NasError(
            f"objective {text!r}: unit {unit} came; a bound on {name} takes {', '.join(filter(None, units))}, or none"
        )
    return float(bound) * units[unit]


@dataclass(frozen=True)
class Goal:
    """All objectives of a search; the first one is what a strategy with one number is told.

    `reward` says what bounds do. Under `constraint` what breaks one has no value, however good it is. Else they enter
    the number by the reward of MnasNet (Tan et al., 2019, https://arxiv.org/abs/1807.11626): it is multiplied by
    (value / bound) ** w. `soft` takes w = -0.07 on both sides of the bound; `hard` takes 0 below it and -1 above.
    """

    objectives: tuple[Objective, ...]
    reward: Reward = "constraint"

    @classmethod
    def parse(cls, texts: Sequence[str], reward: Reward = "constraint") -> Self:
        """Read objectives; bounds come after the first, which a reward needs to be one that is made large."""
        made = tuple(Objective.parse(text) for text in texts)
        names = [one.name for one in made]
        bounds = [one.bound for one in made if one.bound is not None]
        if not made or len(set(names)) < len(names):
            raise NasError(f"objectives came as {list(texts)}; give at least one, and each value once")
        if reward not in REWARDS:
            raise NasError(f"reward came as {reward!r}; allowed are {', '.join(REWARDS)}")
        if made[0].bound is not None:
            raise NasError(f"objectives came as {list(texts)}; bounds need an objective before them, such as accuracy")
        if bounds and reward != "constraint" and made[0].sign < 0:
            raise NasError(
                f"objectives came as {list(texts)}; with the {reward} reward bounds need an objective to be made large "
                "before them"
            )
        if any(not (isfinite(bound) and bound > 0) for bound in bounds):
            raise NasError(f"objectives came as {list(texts)}; a bound is a number above 0")
        return cls(made, reward if bounds else "constraint")

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | None) -> Self:
        """Read what a database keeps; nothing stands for the validation accuracy."""
        if data is None:
            return cls((Objective("validation_accuracy"),))
        made = cls(tuple(Objective.recorded(text) for text in data["objectives"]), data["reward"])
        return made if made.bounds else cls(made.objectives)

    def to_json(self) -> dict[str, Any]:
        """What the results database keeps. Without bounds the reward is said to be soft, as it always was there."""
        return {"objectives": [str(one) for one in self.objectives], "reward": self.reward if self.bounds else "soft"}

    @property
    def first(self) -> str:
        """The name of the first objective's value."""
        return self.objectives[0].name

    @property
    def bounds(self) -> tuple[Objective, ...]:
        """The objectives that have one."""
        return tuple(one for one in self.objectives if one.bound is not None)

    @property
    def free(self) -> tuple[Objective, ...]:
        """What is made large or small: all objectives but constraints."""
        return tuple(one for one in self.objectives if one.bound is None or self.reward != "constraint")

    def missing(self, values: Mapping[str, float]) -> list[str]:
        """The objectives that these values say nothing of."""
        return [one.name for one in self.objectives if not isfinite(values.get(one.name, float("nan")))]

    def each(self, values: Mapping[str, float]) -> tuple[float, ...]:
        """Every objective that is no constraint, turned so that larger is better."""
        return tuple(one.sign * values[one.name] for one in self.free)

    def violation(self, values: Mapping[str, float]) -> float:
        """By how much constraints are broken: the sum of (value - bound) / bound; 0 where all hold."""
        if self.reward != "constraint":
            return 0.0
        return sum(max(0.0, values[one.name] / one.bound - 1) for one in self.bounds if one.bound is not None)

    def value(self, values: Mapping[str, float]) -> float:
        """The one number: the first objective, times the rewards of bounds that are no constraints."""
        total = self.objectives[0].sign * values[self.first]
        if self.reward == "constraint":
            return total
        below, above = EXPONENTS[self.reward]
        for one in self.bounds:
            assert one.bound is not None
            share = values[one.name] / one.bound
            total *= share ** (below if share <= 1 else above) if share > 0 else 1.0
        return total


ACCURACY = Goal((Objective("validation_accuracy"),))
