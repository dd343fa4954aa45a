"""Policies over the decisions of a space: an LSTM controller, and independent categoricals."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from nasengine.space import Architecture
from nasengine.strategies._reinforce_tokens import START, Spelling, Step, Tokens

INITIAL = 0.1  # weights of the LSTM start uniformly between -0.1 and 0.1


class Controller(Protocol):
    """Scores tokens; double precision, so that a chance is the same however it was computed."""

    def scores(self, heard: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Tokens heard (batch, steps) to the scores of all tokens after each of them (batch, steps, tokens)."""

    def parameters(self) -> Any:
        """What is learnt."""


class LSTMController(nn.Module):
    """One LSTM layer that hears each token it has drawn, and scores the next (Zoph et al., 2018).

    https://arxiv.org/abs/1707.07012. A softmax over the tokens that may come is the softmax of the decision at hand.
    """

    def __init__(self, tokens: int, hidden: int, generator: torch.Generator):
        super().__init__()
        with torch.device("meta"):  # there, initial values are not drawn from the global generator
            self.hear = nn.Embedding(tokens, hidden, dtype=torch.float64)
            self.lstm = nn.LSTM(hidden, hidden, batch_first=True, dtype=torch.float64)
            self.say = nn.Linear(hidden, tokens, dtype=torch.float64)
        self.to_empty(device="cpu")
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.uniform_(-INITIAL, INITIAL, generator=generator)

    def scores(self, heard: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """(batch, steps) to (batch, steps, tokens), and the state after the last step."""
        output, state = self.lstm(self.hear(heard), state)
        return self.say(output), state


class Independent(nn.Module):
    """One vector of logits for each decision, whatever was drawn before (As-ViT, Chen et al., 2022).

    https://openreview.net/forum?id=H94a1_Pyr-6
    """

    def __init__(self, tokens: int, generator: torch.Generator):
        super().__init__()
        self.logits = nn.Parameter(1e-3 * torch.randn(tokens, generator=generator, dtype=torch.float64))

    def scores(self, heard: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """(batch, steps) to (batch, steps, tokens): the same scores everywhere."""
        return self.logits.expand(*heard.shape, -1), None


@dataclass(frozen=True)
class Spelled:
    """Spellings side by side, padded to the longest: what was heard, what could come, and what came."""

    heard: Tensor  # (batch, steps)
    tokens: Tensor  # (batch, steps, options)
    ways: Tensor  # (batch, steps, options), -inf where there is no such option
    chosen: Tensor  # (batch, steps)


def spelled(spellings: Sequence[Spelling]) -> Spelled:
    """Spellings as tensors; a step that pads has one option, and so no choice."""
    steps = max((len(one) for one in spellings), default=0)
    options = max((len(step.tokens) for one in spellings for step, _ in one), default=1)
    heard = torch.full((len(spellings), steps), START)
    tokens = torch.full((len(spellings), steps, options), START)
    ways = torch.full((len(spellings), steps, options), -torch.inf, dtype=torch.float64)
    chosen = torch.zeros((len(spellings), steps), dtype=torch.long)
    ways[:, :, 0] = 0.0
    for b, spelling in enumerate(spellings):
        for t, (step, position) in enumerate(spelling):
            width = len(step.tokens)
            tokens[b, t, :width] = torch.tensor(step.tokens)
            ways[b, t, :width] = torch.tensor(step.ways, dtype=torch.float64)
            chosen[b, t] = position
            if t + 1 < len(spelling):
                heard[b, t + 1] = step.tokens[position]
    return Spelled(heard, tokens, ways, chosen)


def log_chances(controller: Controller, batch: Spelled) -> tuple[Tensor, Tensor]:
    """The logarithm of each spelling's chance (batch,), and the sum of the entropies of its draws (batch,)."""
    scores, _ = controller.scores(batch.heard)
    logs = (scores.gather(2, batch.tokens) + batch.ways).log_softmax(dim=2)
    entropy = -(logs.exp() * logs.masked_fill(batch.ways.isinf(), 0.0)).sum(dim=(1, 2))
    return logs.gather(2, batch.chosen[:, :, None]).sum(dim=(1, 2)), entropy


@torch.no_grad()
def speak(controller: Controller, tokens: Tokens, rng: random.Random | None) -> Architecture:
    """An architecture drawn from the policy with `rng` alone; without one, the likeliest option is taken each time."""
    heard, state = START, None

    def draw(step: Step) -> int:
        nonlocal heard, state
        scores, state = controller.scores(torch.tensor([[heard]]), state)
        logs = scores[0, 0][list(step.tokens)] + torch.tensor(step.ways, dtype=torch.float64)
        chances = logs.softmax(dim=0).tolist()
        positions = range(len(chances))
        position = max(positions, key=chances.__getitem__) if rng is None else rng.choices(positions, chances)[0]
        heard = step.tokens[position]
        return position

    return tokens.speak(draw)
