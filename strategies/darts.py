"""DARTS: gates are softmax weights over the operations of each edge, learned by gradient.

Liu et al., 2019, https://arxiv.org/abs/1806.09055. `none` competes in the softmax and is never chosen. Each node keeps
the edges whose best operation weighs most, from different sources, each with that operation.

Departures: it works on any space whose choices are between layers; the gates' learning rate is 100 times the published
3e-4 by default, for a search here has hundreds of steps where the paper's has twenty thousand.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from nasengine.interpreters.gated import Opened, gated, refuse_sizes, settle
from nasengine.space import Architecture, Mixture, Space


class Darts:
    """Softmax gates over all options of each choice between layers, in one forward.

    order: 1 takes the weights as they are, 2 looks one step of the weights ahead (needs recipe.optimizer "sgd")
    gate_rate: learning rate of the gates' Adam (published: 3e-4)
    gate_decay: weight decay of the gates' Adam, coupled to the gradient
    """

    def __init__(
        self, space: Space, order: Literal[1, 2] = 1, gate_rate: float = 0.03, gate_decay: float = 1e-3
    ) -> None:
        refuse_sizes(space, "darts")
        self.space, self.order, self.gate_rate, self.gate_decay = space, order, gate_rate, gate_decay
        self.rows = gated(space)
        self.weights = [
            (1e-3 * torch.randn(len(rows.decisions), len(rows.options))).requires_grad_() for rows in self.rows
        ]
        self.opened = Opened(space)

    def parameters(self) -> list[Tensor]:
        """One tensor (decisions, options) for each group of equal choices."""
        return self.weights

    def at(self, progress: float) -> None:
        """Nothing: DARTS has no schedule."""

    def draws(self, generator: torch.Generator) -> Sequence[Mixture]:
        """The one mixture of all options; nothing in it is random."""
        mixed = {}
        for rows, weights in zip(self.rows, self.weights, strict=True):
            for name, row in zip(rows.decisions, weights.softmax(dim=1).unbind(), strict=True):
                mixed[name] = dict(zip(rows.options, row.unbind(), strict=True))
        return [Mixture(mixed, self.opened)]

    def penalty(self) -> Tensor:
        """Zero: DARTS has no regulariser of its gates."""
        return torch.zeros(())

    def ranking(self) -> dict[tuple[str, str], float]:
        """The softmax weight of every legal option, best first; among equals the first declared."""
        gates = self.gates()
        scores = {(d, option): gates[d][option] for d in gates for option in self.space.decisions[d].options}
        return dict(sorted(scores.items(), key=lambda item: -item[1]))

    def settle(self) -> Architecture:
        """Per node the strongest sources by their best option, each with that option; among equals the first."""
        return settle(self.space, self.ranking())

    def gates(self) -> dict[str, dict[str, float]]:
        """The softmax weights."""
        strengths = {}
        for rows, weights in zip(self.rows, self.weights, strict=True):
            for name, row in zip(rows.decisions, weights.detach().softmax(dim=1).tolist(), strict=True):
                strengths[name] = dict(zip(rows.options, row, strict=True))
        return strengths
