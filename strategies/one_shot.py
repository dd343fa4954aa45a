"""Single-path one-shot: a supernet is trained along random paths, drawn uniformly or strictly fairly.

Single Path One-Shot (Guo et al., 2019, https://arxiv.org/abs/1904.00420): each step trains one network, each decision
drawn uniformly. FairNAS (Chu et al., 2019, https://arxiv.org/abs/1907.01845): a step trains as many networks as the
largest decision has options, each option in exactly one of them, and makes one update of their gradients' sum.
K-shot NAS (Su et al., 2021, https://arxiv.org/abs/2106.06442): the weights are kept `shots` times, and each network
mixes them in shares that a small net, the simplex-net, gives it; both learn in turns.
`channels`: BCNet (Su et al., 2021, https://arxiv.org/abs/2105.10533), ViTAS (Su et al., 2022,
https://arxiv.org/abs/2106.13700).

Departures: decisions with fewer options than the largest deal theirs over several steps, all equally often by the end
of the least common multiple; a decision that not every network asks deals to those that do; under a condition of the
space fairness gives way to it. Single Path One-Shot filters its paths by FLOPs: give a bound on `macs` for that.
K-shot NAS' regulariser of the simplex-net's codes is left out; one share serves all layers, and the simplex-net learns
from one random network a step.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from nasengine.errors import SpaceError
from nasengine.interpreters.channels import Channels, chance, windows
from nasengine.interpreters.slicing import LEADING, Dressed
from nasengine.search.strategy import Batch, Forward, Loss
from nasengine.space import Architecture, Picks, Space
from nasengine.strategies._one_shot_decks import Decks
from nasengine.strategies._one_shot_simplex import SimplexNet


class OneShot:
    """A sampler of single paths.

    fairness: "uniform" draws one network a step, "strict" as many as the largest decision has options, each in one
    channels: which channels a narrow layer trains: the "leading" ones, from both sides ("bilateral"), or "cyclic"
    shots: how many times the weights are kept, to be mixed for each network
    gate_rate: learning rate of the simplex-net's Adam, where shots is above 1
    gate_decay: its weight decay
    """

    order = 1

    def __init__(
        self,
        space: Space,
        fairness: Literal["uniform", "strict"] = "uniform",
        channels: Channels = "leading",
        shots: int = 1,
        gate_rate: float = 1e-3,
        gate_decay: float = 0.0,
    ) -> None:
        if shots < 1:
            raise SpaceError(f"strategy one-shot: shots came as {shots}; give 1 or more")
        self.space, self.channels = space, channels
        self.gate_rate, self.gate_decay = gate_rate, gate_decay
        self.decks = Decks(space) if fairness == "strict" else None
        searched = [d for d in space.decisions.values() if d.name not in space.recipe_decisions]
        self.networks = max((len(d.options) for d in searched), default=1) if fairness == "strict" else 1
        self.simplex = SimplexNet(space, shots) if shots > 1 else None
        self.model_options = {"shots": shots} if shots > 1 else {}

    def parameters(self) -> list[Tensor]:
        """The simplex-net's; none where the weights are kept once."""
        return [] if self.simplex is None else list(self.simplex.net.parameters())

    def at(self, progress: float) -> None:
        """Nothing: all networks are alike from the first step to the last."""

    def draws(self, generator: torch.Generator) -> Sequence[Picks]:
        """The networks of one step; for a step of the simplex-net a single random one."""
        rng = chance(generator)
        if self.decks is None or torch.is_grad_enabled():
            paths = [self.space.sample(rng)]
        else:
            paths = [self.decks.deal(rng) for _ in range(self.networks)]
        return [Dressed(path, window, self._shares(path)) for path in paths for window in windows(self.channels, rng)]

    def _shares(self, architecture: Architecture) -> Tensor | None:
        return None if self.simplex is None else self.simplex(architecture)

    def losses(self, forward: Forward, loss: Loss, batch: Batch, draws: Sequence[Picks]) -> Iterator[Tensor]:
        """The sum over the networks; what one network gives from both sides is averaged."""
        images, labels = batch
        sides = 2 if self.channels == "bilateral" else 1
        for picks in draws:
            yield loss(forward(images, picks), labels) / sides

    def dress(self, architecture: Architecture) -> Picks:
        """The architecture with its shares of the stores, on their leading channels."""
        return Dressed(architecture, LEADING, self._shares(architecture))

    def gates(self) -> dict[str, dict[str, float]]:
        """None: no option is weighed against another."""
        return {}

    def state(self) -> dict[str, Any]:
        """What is left of the decks."""
        return {} if self.decks is None else {"left": self.decks.left}

    def take_up(self, state: dict[str, Any]) -> None:
        """Go on dealing where it ended."""
        if self.decks is not None:
            self.decks.left = state["left"]
