"""The simplex-net of K-shot NAS: from an architecture to the weights by which its K stores are mixed."""

import torch
from torch import Tensor, nn

from nasengine.space import Architecture, Space

HIDDEN = 64


class SimplexNet:
    """An MLP with one hidden layer on the one-hot code of an architecture, softmax at its end."""

    def __init__(self, space: Space, shots: int) -> None:
        pairs = [(name, option) for name, decision in space.decisions.items() for option in decision.options]
        self.columns = {pair: column for column, pair in enumerate(pairs)}
        self.net = nn.Sequential(nn.Linear(len(pairs), HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, shots), nn.Softmax(0))

    def __call__(self, architecture: Architecture) -> Tensor:
        """Weights (shots,), none below 0, which add up to 1."""
        code = torch.zeros(len(self.columns))
        code[[self.columns[name, option] for name, kept in architecture.picks.items() for option in kept]] = 1.0
        weights: Tensor = self.net(code)
        return weights
