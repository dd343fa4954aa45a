"""The contract of samplers finds what is wrong with one."""

import random
from collections.abc import Sequence

import pytest
import torch

from nasengine.search.strategy import Batch, Forward, Loss
from nasengine.space import Architecture, Picks
from nasengine.strategies.one_shot import OneShot
from nasengine.testing.samplers import check_sampler


class Moody(OneShot):
    """Draws by chance of its own."""

    def draws(self, generator: torch.Generator) -> Sequence[Picks]:
        return [self.space.sample(random.Random())]


class Lawless(OneShot):
    def draws(self, generator: torch.Generator) -> Sequence[Picks]:
        return [Architecture({**self.space.first(1)[0].picks, "blocks.depth": ("7",)})]


class Lazy(OneShot):
    """Learns nothing."""

    def losses(self, forward: Forward, loss: Loss, batch: Batch, draws: Sequence[Picks]):  # type: ignore[no-untyped-def]
        for one in super().losses(forward, loss, batch, draws):
            yield 0 * one


class Forgetful(OneShot):
    """Deals fairly, and forgets after an interruption what is left."""

    def take_up(self, state: object) -> None:
        pass


@pytest.mark.parametrize(
    ("made", "claim", "words"),
    [
        (Moody, "draws the same networks from the same random numbers", "they differ"),
        (Lawless, "draws legal networks at any time, which run", "'7' is no option"),
        (Lazy, "the supernet learns", "its losses are"),
        (lambda space: Forgetful(space, fairness="strict"), "an interrupted training goes on to the same numbers", ""),
    ],
)
def test_what_is_wrong_is_found(made: type, claim: str, words: str) -> None:
    told = {check.name: check.fault for check in check_sampler(made).faults}
    assert claim in told and words in told[claim]
