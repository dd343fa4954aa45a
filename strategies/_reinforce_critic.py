"""FNAS' critic: foretells the reward of an architecture, and by how much it expects to be wrong.

Liu et al., 2021, https://arxiv.org/abs/2105.11694; no code is public. Departures: the critic reads which tokens an
architecture is spelled with through a network of its own, so that it never touches the policy; it speaks in standard
deviations of the rewards, so that one threshold means the same on every task.
"""

import random
from collections.abc import Sequence
from statistics import fmean, pstdev

import torch
from torch import Tensor, nn

from nasengine.space import Architecture
from nasengine.strategies._reinforce_tokens import Tokens

HIDDEN = 32
RATE = 0.01
STEPS = 10  # of Adam after each result
EXAMPLES = 64  # results looked at in each of them
BEGINNER = 20  # results before which the critic trusts itself in nothing


class Critic:
    """Two heads on one small network: the reward V, and U, the size of the error |V - R| that is to be expected.

    The errors that U learns from are those made before V had seen the result.
    """

    def __init__(self, tokens: Tokens, seed: int):
        self.tokens, self.rng = tokens, random.Random(f"critic {seed}")
        generator = torch.Generator().manual_seed(seed)
        with torch.device("meta"):
            self.network = nn.Sequential(nn.Linear(tokens.count, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2)).double()
        self.network.to_empty(device="cpu")
        with torch.no_grad():
            for parameter in self.network.parameters():
                bound = parameter.shape[-1] ** -0.5
                parameter.uniform_(-bound, bound, generator=generator)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=RATE)
        self.examples: list[tuple[Tensor, float, float]] = []  # tokens, reward, error when it was told
        self.mean, self.spread = 0.0, 1.0

    def _read(self, architecture: Architecture) -> Tensor:
        said = [step.tokens[position] for step, position in self.tokens.spell(architecture)]
        return torch.zeros(self.tokens.count, dtype=torch.float64).index_fill(
            0, torch.tensor(said, dtype=torch.long), 1
        )

    def _heads(self, read: Tensor) -> tuple[Tensor, Tensor]:
        value, uncertainty = self.network(read).unbind(-1)
        return value, nn.functional.softplus(uncertainty)

    @torch.no_grad()
    def foretell(self, architecture: Architecture) -> tuple[float, float]:
        """The reward, and the error to be expected in standard deviations; infinite while too little was seen."""
        value, uncertainty = self._heads(self._read(architecture))
        error = uncertainty.item() if len(self.examples) >= BEGINNER else float("inf")
        return self.mean + self.spread * value.item(), error

    def learn(self, architecture: Architecture, reward: float) -> None:
        """Take note of a real reward: of how wrong the critic was first, then of the reward."""
        foretold, _ = self.foretell(architecture)
        error = abs(foretold - reward) / self.spread if self.examples else 1.0
        self.examples.append((self._read(architecture), reward, error))
        rewards = [reward for _, reward, _ in self.examples]
        self.mean, self.spread = fmean(rewards), pstdev(rewards) or 1.0
        for _ in range(STEPS):
            self._step(self.rng.sample(self.examples, min(EXAMPLES, len(self.examples))))

    def _step(self, examples: Sequence[tuple[Tensor, float, float]]) -> None:
        values, uncertainties = self._heads(torch.stack([read for read, _, _ in examples]))
        rewards = torch.tensor([(reward - self.mean) / self.spread for _, reward, _ in examples], dtype=torch.float64)
        errors = torch.tensor([error for _, _, error in examples], dtype=torch.float64)
        loss = (values - rewards).square().mean() + (uncertainties - errors).square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
