"""ElasticViT: the networks of a step are about equally complex, and more and more of them are known to be good.

Tang et al., 2023, https://arxiv.org/abs/2303.09730. Networks that differ widely in multiply-adds pull shared weights
apart. So each step keeps to one level of complexity, and the level walks lazily: one down, one up or none, each with a
chance of one third (at the ends it stays with two thirds). A step trains `random` networks of its level and a minimal
one that is near it in size, taught by the mean of the others' predictions. Each level has a bank of good networks; a
network comes from the bank with a chance that rises from 0.2 by 0.15 after each quarter of the training, and is drawn
from the whole level otherwise.

Departures: it works on any space, the levels being quantiles of its random networks' multiply-adds; the networks learn
from the labels, where the paper adds a large teacher from outside; what does not come from the bank is drawn uniformly
and not by preferences for certain layers; the bank's losses are measured again after `refresh` steps, each level's when
the walk comes by, and not four times an epoch; gradients are clipped as the recipe says.
"""

import random
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from nasengine.errors import SpaceError
from nasengine.interpreters.channels import chance
from nasengine.interpreters.slicing import Dressed
from nasengine.search.strategy import Batch, Forward, Loss
from nasengine.space import Architecture, Picks, Space
from nasengine.strategies._elastic_vit_bank import Bank
from nasengine.strategies._elastic_vit_levels import Levels, reachable

FROM_BANK, RISE, QUARTERS = 0.2, 0.15, 4


class ElasticViT:
    """A sampler that knows how complex networks are and how well they do.

    levels: of complexity, by multiply-adds
    random: networks in each step, beside the minimal one
    minima: minimal networks, each for as many levels
    refresh: steps after which the losses in a level's bank are measured again
    """

    imitates: ClassVar[bool] = True

    def __init__(self, space: Space, levels: int = 5, random: int = 3, minima: int = 3, refresh: int = 50) -> None:
        wanted = {"levels": levels, "random": random, "minima": minima, "refresh": refresh}
        faults = [f"strategy elastic-vit: {name} came as {n}; give 1 or more" for name, n in wanted.items() if n < 1]
        if faults:
            raise SpaceError("\n".join(faults))
        self.levels, self.random = Levels(space, levels, minima), random
        self.bank = Bank(levels, refresh)
        self.level, self.steps = levels // 2, 0
        self.from_bank = FROM_BANK
        self.drawn: list[Architecture] = []  # what `hear` is going to be told of

    def parameters(self) -> list[Tensor]:
        """None."""
        return []

    def at(self, progress: float) -> None:
        """The bank counts more after each quarter."""
        self.from_bank = FROM_BANK + RISE * min(int(QUARTERS * progress), QUARTERS)

    def draws(self, generator: torch.Generator) -> Sequence[Picks]:
        """Networks of one level, the minimal one, and those of the bank that are only to be measured."""
        rng = chance(generator)
        self.level = rng.choice(reachable(self.level, self.levels.number))
        self.steps += 1
        stale = self.bank.stale(self.level, self.steps)
        networks = [self._network(rng) for _ in range(self.random)]
        self.drawn = [*networks, self.levels.minimal[self.level], *stale]
        return [Dressed(one) for one in self.drawn]

    def _network(self, rng: random.Random) -> Architecture:
        known = self.bank.draw(self.level, rng) if rng.random() < self.from_bank else None
        return known or self.levels.sample(self.level, rng)

    def losses(self, forward: Forward, loss: Loss, batch: Batch, draws: Sequence[Picks]) -> Iterator[Tensor]:
        """The networks by the labels, then the minimal one by the mean of what they think of the images."""
        images, labels = batch
        thoughts = []
        for picks in draws[: self.random]:
            logits = forward(images, picks)
            thoughts.append(logits.detach().softmax(1))
            yield loss(logits, labels)
        teacher = torch.stack(thoughts).mean(0)
        yield -(teacher * forward(images, draws[self.random]).log_softmax(1)).sum(1).mean()
        for picks in draws[self.random + 1 :]:
            with torch.no_grad():
                yield loss(forward(images, picks, calm=True), labels)

    def hear(self, losses: Sequence[float]) -> None:
        """Note the losses by the labels, the minimal network's being none."""
        for number, (architecture, loss) in enumerate(zip(self.drawn, losses, strict=True)):
            if number != self.random:
                self.bank.note(self.level, architecture, loss)

    def gates(self) -> dict[str, dict[str, float]]:
        """None: no option is weighed against another."""
        return {}

    def state(self) -> dict[str, Any]:
        """Where the walk is, and the bank."""
        return {"level": self.level, "steps": self.steps, **self.bank.state()}

    def take_up(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self.level, self.steps = state["level"], state["steps"]
        self.bank.take_up(state)
