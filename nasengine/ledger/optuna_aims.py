"""What a search makes large or small, as Optuna wants to know it: names, directions, values, violated bounds."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Self

from nasengine.job import COMPARED
from nasengine.ledger.queries import METRIC

SHARED_WEIGHTS = "accuracy of shared weights"
VALIDATED, GATES, TRAINED = ([f"{part}_{name}" for name in COMPARED] for part in ("validation", "gate", "train"))


@dataclass(frozen=True)
class Aims:
    """Objectives by name, each with whether it is to be large, and bounds by name; Optuna's own words for a `Goal`.

    Where bounds enter the one number by a reward, that number is the only objective, and there are no bounds.
    """

    objectives: Mapping[str, bool]
    bounds: Mapping[str, float]
    shared_weights: bool = False  # a supernet's: whatever accuracy there is

    @classmethod
    def of(cls, goal: Mapping[str, Any] | None) -> Self:
        """Read `nas_searches.goal`; nothing stands for the validation accuracy."""
        texts = [METRIC] if goal is None else goal["objectives"]
        bounds = {name: float(bound) for name, under, bound in (text.partition("<") for text in texts) if under}
        if goal is not None and bounds and goal["reward"] != "constraint":
            return cls({f"reward ({goal['reward']})": True}, {})
        free = [text for text in texts if "<" not in text]
        return cls(
            {text.removeprefix("max:").removeprefix("min:"): not text.startswith("min:") for text in free}, bounds
        )

    @classmethod
    def of_supernets(cls) -> Self:
        """What supernets are shown by."""
        return cls({SHARED_WEIGHTS: True}, {}, shared_weights=True)

    def values(self, row: Mapping[str, Any], curve: Mapping[int, float]) -> tuple[list[str], list[float] | None]:
        """Return where each objective is found in a row of `nas_trials`, and the values; None where one is missing."""
        figures = figures_of(row)
        if self.shared_weights:
            name = next((one for one in (*VALIDATED, *GATES) if one in figures), "last epoch")
            found = {name: figures.get(name, curve.get(max(curve, default=0)))}
        elif any(name.startswith("reward ") for name in self.objectives):
            found = {"reward": row["value"]}
        else:
            names = [one if one in figures else _of_final(one) for one in self.objectives]
            found = {name: figures.get(name) for name in names}
        values = [value for value in found.values() if value is not None and isfinite(value)]
        return list(found), values if len(values) == len(found) else None

    def violations(self, row: Mapping[str, Any]) -> list[float] | None:
        """Return by how much each bound is broken, as a share of it, at most 0 where it holds; None without bounds."""
        figures = figures_of(row)
        broken = [figures[name] / bound - 1 for name, bound in self.bounds.items() if name in figures]
        return broken or None

    def curve(self, epoch: Mapping[str, Any]) -> float | None:
        """Return the value of one epoch that a learning curve shows: of the first objective that is measured in it."""
        more = [f"{part}_{name.removeprefix('validation_')}" for name in self.objectives for part in ("gate", "train")]
        names = [*self.objectives, *VALIDATED, *more, *GATES, *TRAINED]
        return next((epoch[name] for name in names if epoch.get(name) is not None), None)


def figures_of(row: Mapping[str, Any]) -> dict[str, float]:
    """Return all figures of a row of `nas_trials` by name."""
    sizes = {name: row[name] for name in ("params", "macs", "seconds") if row[name] is not None}
    return {**sizes, **(row["values"] or {})}


def _of_final(name: str) -> str:
    """Return what the final network has in place of a candidate's value: it is measured on the test data."""
    return name.replace("validation_", "test_", 1)
