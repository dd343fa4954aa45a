"""Reinforcement learning: a controller draws architectures, and makes likelier what was rewarded.

NASNet's controller (Zoph et al., 2018, https://arxiv.org/abs/1707.07012): an LSTM draws one decision after the other,
hearing each answer before the next; REINFORCE (Williams, 1992) or clipped PPO (Schulman et al., 2017,
https://arxiv.org/abs/1707.06347) changes it. `controller="independent"` is the cheap one of As-ViT (Chen et al., 2022,
https://openreview.net/forum?id=H94a1_Pyr-6), by default with its own figures. FNAS (Liu et al., 2021,
https://arxiv.org/abs/2105.11694) adds three accelerations as options: `critic_threshold`, `replay` and `pool`.

Departures, all for searches of a hundred proposals where the papers had 20,000:
- the learning rate is higher than the published 3.5e-4, and the entropy bonus than the published 1e-5;
- rewards are the normal scores of ranks, so that a few failures do not drown what is learnt (`reward="raw"`: as they
  are);
- what has been told is not proposed again (`repeats=True`: it may come again, as published).
A failed candidate is rewarded like the worst before it, and passed over where there is none. Under a condition of the
space the policy draws until it is met; the chances that it learns from are those without the condition.

With a pool all candidates train for equally long, yet later ones start from more: their values are to be compared with
each other, not with those of searches without a pool.
"""

import random
from typing import Literal

import torch

from nasengine.errors import NasError
from nasengine.search.strategy import Remark, Told
from nasengine.space import Architecture, Space
from nasengine.space.unseen import Unseen
from nasengine.strategies._reinforce_controller import Controller, Independent, LSTMController, speak
from nasengine.strategies._reinforce_critic import Critic
from nasengine.strategies._reinforce_learner import Learner, Method, Ranks, Rollout, Teaching
from nasengine.strategies._reinforce_pool import Pool
from nasengine.strategies._reinforce_tokens import Tokens
from nasengine.strategies._reinforce_updates import Baseline

TRIES = 20  # draws to find something new, or something that meets a condition


class Reinforce:
    """A policy over all decisions of a space, learnt from the rewards of its proposals.

    controller: "lstm" hears what it has drawn so far, "independent" has one categorical for each decision
    method: "ppo" or "reinforce"
    reward: "rank" takes the normal score of a result's rank among those before, "raw" the objective itself
    repeats: whether what has been told may be proposed again
    hidden: units of the LSTM
    rate: learning rate of Adam; none is 0.005 for "lstm" (published: 3.5e-4), 0.08 for "independent"
    batch: results that one update learns from; none is 5 for "lstm", 1 for "independent"
    passes: steps of PPO in one update
    clip: how far PPO may move the chance of an architecture in one update
    entropy: weight of PPO's entropy bonus (published: 1e-5)
    momentum: of the baseline, a moving average of rewards; none is 0.95 for "lstm", 0.9 for "independent"
    critic_threshold: error in standard deviations under which FNAS' critic judges in place of an evaluation; 0: never
    imagined: how many architectures in a row the critic may judge
    replay: earlier results that join each update, corrected for how the policy has changed (FNAS)
    correction_limit: the largest weight of such a result
    pool: whether candidates start from the weights of the most similar trained blocks (FNAS)
    seed: of the initial weights, and of what is drawn for the critic and the replay
    """

    def __init__(
        self,
        space: Space,
        controller: Literal["lstm", "independent"] = "lstm",
        method: Method = "ppo",
        reward: Literal["rank", "raw"] = "rank",
        repeats: bool = False,
        hidden: int = 100,
        rate: float | None = None,
        batch: int | None = None,
        passes: int = 4,
        clip: float = 0.2,
        entropy: float = 0.1,
        momentum: float | None = None,
        critic_threshold: float = 0.0,
        imagined: int = 8,
        replay: int = 0,
        correction_limit: float = 2.0,
        pool: bool = False,
        seed: int = 0,
    ) -> None:
        lstm = controller == "lstm"
        rate = (0.005 if lstm else 0.08) if rate is None else rate
        self.batch = (5 if lstm else 1) if batch is None else batch
        momentum = (0.95 if lstm else 0.9) if momentum is None else momentum
        _refuse(
            {"hidden": hidden, "batch": self.batch, "passes": passes},
            {"rate": rate, "clip": clip, "correction_limit": correction_limit},
            {"entropy": entropy, "critic_threshold": critic_threshold, "imagined": imagined, "replay": replay},
            momentum,
        )
        self.space, self.tokens, self.repeats = space, Tokens(space), repeats
        generator, count = torch.Generator().manual_seed(seed), self.tokens.count
        self.controller: Controller = (
            LSTMController(count, hidden, generator) if lstm else Independent(count, generator)
        )
        teaching = Teaching(method, rate, passes, clip, entropy, replay, correction_limit)
        self.learner = Learner(self.controller, teaching, seed)
        self.baseline = Baseline(momentum, inclusive=not lstm)
        self.ranks = Ranks() if reward == "rank" else None
        self.worst: float | None = None
        self.unseen = Unseen(space)
        self.waiting: list[Rollout] = []  # for the next update
        self.threshold, self.imagined = critic_threshold, imagined if critic_threshold else 0
        self.critic = Critic(self.tokens, seed) if critic_threshold else None
        self.rng = random.Random(f"imagined {seed}")
        self.saved = 0  # evaluations that the critic's word replaced
        self.pool = Pool(space) if pool else None
        self.said: list[Remark] = []

    def ask(self, rng: random.Random) -> Architecture | None:
        """Draw from the policy; None where repeats are not wanted and everything has been told.

        What the critic is certain of is passed over, as often as it may be in a row. Where the policy has nothing new
        to say, whatever is left of the space comes at random.
        """
        for attempt in range(TRIES + self.imagined):
            drawn = self._draw(rng)
            if self.repeats or drawn in self.unseen:
                certain = self.critic is not None and self.critic.foretell(drawn)[1] < self.threshold
                if attempt >= self.imagined or not certain:
                    return drawn
        return self.unseen.draw(rng)

    def _draw(self, rng: random.Random) -> Architecture:
        """One legal architecture from the policy; where its own break a condition too often, parts of them are kept."""
        for _ in range(TRIES):
            drawn = speak(self.controller, self.tokens, rng)
            if self.space.where is None or self.space.where(drawn):
                return drawn
        return self.space.follow(drawn.picks, rng)

    def likeliest(self) -> Architecture:
        """The likeliest answer to each decision, one after the other: what As-ViT takes as its final design."""
        return self.space.follow(speak(self.controller, self.tokens, None).picks, random.Random(0))

    def tell(self, result: Told) -> None:
        """Learn from a result, once enough of them are together."""
        self.unseen.remove(result.architecture)
        if self.pool is not None and result.value is not None and result.weights is not None:
            self._keep(self.pool, result.architecture, result.weights, result.value)
        if result.value is not None:
            self.worst = result.value if self.worst is None else min(self.worst, result.value)
        value = self.worst if result.value is None else result.value
        if value is None:
            return
        reward = value if self.ranks is None else self.ranks.score(value)
        self._take(result.architecture, reward, measured=True)
        if self.critic is not None:
            self.critic.learn(result.architecture, reward)
            self._imagine(self.critic)

    def _take(self, architecture: Architecture, reward: float, measured: bool) -> None:
        spelling = self.tokens.spell(architecture)
        self.waiting.append(Rollout(spelling, self.baseline.advantage(reward), measured))
        if len(self.waiting) >= self.batch:
            self.learner.learn(self.waiting)
            self.waiting = []

    def _imagine(self, critic: Critic) -> None:
        """Roll out further architectures while the critic is certain of them; the first other one ends that."""
        before = self.saved
        for _ in range(self.imagined):
            drawn = self._draw(self.rng)
            reward, error = critic.foretell(drawn)
            if error >= self.threshold:
                break
            self._take(drawn, reward, measured=False)
            self.saved += 1
        if self.saved > before:
            text = f"{self.saved} evaluations saved by the critic so far, after {len(critic.examples)} real ones"
            self.said.append(Remark("critic", text, {"saved": self.saved, "evaluated": len(critic.examples)}))

    def _keep(self, pool: Pool, architecture: Architecture, weights: str, value: float) -> None:
        if not pool.add(architecture, weights, value):
            text = f"weights {weights}: there is no such file; candidates cannot start from its blocks"
            self.said.append(Remark("warning", text))

    def inherit(self, architecture: Architecture) -> dict[str, tuple[str, str]]:
        """For each block the most similar trained one: place to (file, place in it); nothing without a pool."""
        return {} if self.pool is None else self.pool.inherit(architecture)

    def remarks(self) -> list[Remark]:
        """What came up since this was last called."""
        said, self.said = self.said, []
        return said


def _refuse(counts: dict[str, int], above: dict[str, float], from_zero: dict[str, float], momentum: float) -> None:
    faults = [f"{name} came as {value}; it is at least 1" for name, value in counts.items() if value < 1]
    faults += [f"{name} came as {value}; it is above 0" for name, value in above.items() if not value > 0]
    faults += [f"{name} came as {value}; it is at least 0" for name, value in from_zero.items() if not value >= 0]
    faults += [] if 0 <= momentum < 1 else [f"momentum came as {momentum}; it is at least 0 and below 1"]
    if faults:
        raise NasError("strategy reinforce: " + "; ".join(faults))
