"""What a policy is taught, one batch of rollouts after the other, with earlier ones replayed among them."""

import random
from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Literal

import torch
from torch import Tensor

from nasengine.strategies._reinforce_controller import Controller, Spelled, log_chances, spelled
from nasengine.strategies._reinforce_tokens import Spelling
from nasengine.strategies._reinforce_updates import correction, ppo_loss, reinforce_loss

REMEMBERED = 200  # the latest results, from which replayed ones are drawn

Method = Literal["reinforce", "ppo"]


@dataclass(frozen=True)
class Rollout:
    """A spelled architecture and how much better than expected it was; whether that was measured or foretold."""

    spelling: Spelling
    advantage: float
    measured: bool = True
    behaviour: float = 0.0  # logarithm of its chance under the policy that learnt from it first


@dataclass(frozen=True)
class Teaching:
    """The settings of the updates, as the strategy's options name them."""

    method: Method
    rate: float
    passes: int
    clip: float
    entropy: float
    replay: int
    correction_limit: float


class Learner:
    """Changes a policy by the rewards of what it drew."""

    def __init__(self, controller: Controller, teaching: Teaching, seed: int):
        self.controller, self.teaching = controller, teaching
        self.optimizer = torch.optim.Adam(controller.parameters(), lr=teaching.rate)
        self.rng = random.Random(f"replay {seed}")
        self.memory: list[Rollout] = []

    def learn(self, rollouts: Sequence[Rollout]) -> None:
        """One update: all passes over these rollouts, and over as many replayed ones as are wanted."""
        replayed = self.rng.sample(self.memory, min(self.teaching.replay, len(self.memory)))
        taught = [*rollouts, *replayed]
        batch = spelled([one.spelling for one in taught])
        with torch.no_grad():
            old, _ = log_chances(self.controller, batch)
        advantages = torch.tensor([one.advantage for one in taught], dtype=torch.float64)
        if replayed:
            then = torch.tensor([one.behaviour for one in replayed], dtype=torch.float64)
            advantages[len(rollouts) :] *= correction(old[len(rollouts) :], then, self.teaching.correction_limit)
        for _ in range(self.teaching.passes if self.teaching.method == "ppo" else 1):
            self.optimizer.zero_grad()
            self._loss(batch, old, advantages).backward()
            self.optimizer.step()
        fresh = [replace(one, behaviour=log) for one, log in zip(rollouts, old.tolist(), strict=False) if one.measured]
        self.memory = [*self.memory, *fresh][-REMEMBERED:]

    def _loss(self, batch: Spelled, old: Tensor, advantages: Tensor) -> Tensor:
        logs, entropies = log_chances(self.controller, batch)
        if self.teaching.method == "reinforce":
            return reinforce_loss(logs, advantages)
        return ppo_loss(logs, old, advantages, self.teaching.clip) - self.teaching.entropy * entropies.mean()


class Ranks:
    """Values as the normal scores of their ranks among all that came before: whatever the scale, about -2 to 2."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def score(self, value: float) -> float:
        """The score of a value, which counts for those that come after it."""
        insort(self.values, value)
        middle = (bisect_left(self.values, value) + bisect_right(self.values, value)) / 2
        return NormalDist().inv_cdf(middle / len(self.values))
