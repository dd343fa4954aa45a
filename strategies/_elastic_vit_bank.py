"""The good networks of each level, by the loss that they had when they were last run."""

import random
from typing import Any

from nasengine.space import Architecture

SIZE = 10  # networks kept for each level


class Bank:
    """For each level the networks of lowest loss."""

    def __init__(self, levels: int, patience: int) -> None:
        self.levels: list[dict[Architecture, float]] = [{} for _ in range(levels)]
        self.patience = patience
        self.refreshed = [0] * levels  # the step at which a level's losses were last brought up to date

    def draw(self, level: int, rng: random.Random) -> Architecture | None:
        """One of a level's networks; None where there is none yet."""
        return rng.choice(list(self.levels[level])) if self.levels[level] else None

    def stale(self, level: int, step: int) -> list[Architecture]:
        """The networks of a level whose losses have to be measured anew at this step; they count as measured now."""
        if not self.levels[level] or step - self.refreshed[level] < self.patience:
            return []
        self.refreshed[level] = step
        return list(self.levels[level])

    def note(self, level: int, architecture: Architecture, loss: float) -> None:
        """Keep what a network's loss is now, if it is among the lowest of its level."""
        known = self.levels[level]
        known[architecture] = loss
        if len(known) > SIZE:
            del known[max(known, key=lambda one: known[one])]

    def state(self) -> dict[str, Any]:
        """Plain values."""
        banks = [[[one.to_json(), loss] for one, loss in known.items()] for known in self.levels]
        return {"banks": banks, "refreshed": self.refreshed}

    def take_up(self, state: dict[str, Any]) -> None:
        """What `state` gave."""
        self.levels = [{Architecture.from_json(one): loss for one, loss in known} for known in state["banks"]]
        self.refreshed = list(state["refreshed"])
