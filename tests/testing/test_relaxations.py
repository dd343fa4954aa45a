"""The contract of relaxations finds what is wrong with one."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from nasengine.space import Architecture, Mixture, Space
from nasengine.strategies.darts import Darts
from nasengine.testing.relaxations import check_relaxation


class Forgetful(Darts):
    def draws(self, generator: torch.Generator) -> Sequence[Mixture]:
        return [Mixture({name: {o: float(torch.rand(())) for o in gates} for name, gates in self.gates().items()})]


class Numb(Darts):
    """Gates without a way back for the gradient."""

    def draws(self, generator: torch.Generator) -> Sequence[Mixture]:
        return [Mixture({name: {o: float(g) for o, g in gates.items()} for name, gates in self.gates().items()})]


class Lawless(Darts):
    def settle(self) -> Architecture:
        return Architecture({name: decision.relaxed[:1] for name, decision in self.space.decisions.items()})


class Unsorted(Darts):
    def ranking(self) -> dict[tuple[str, str], float]:
        return dict(reversed(super().ranking().items()))

    def settle(self) -> Architecture:
        return self.space.first(1)[0]


class Stubborn(Darts):
    """Learns, and then takes the first architecture anyway."""

    def settle(self) -> Architecture:
        return self.space.first(1)[0]


@pytest.mark.parametrize(
    ("made", "claim", "words"),
    [
        (Forgetful, "draws the same gates from the same random numbers", "they differ"),
        (Numb, "its gates feel the loss", "no slope of the loss reaches tensors"),
        (Lawless, "ranks options and settles on a legal architecture", "'none' is no option"),
        (Stubborn, "settles on the plant", "of 1 searches end elsewhere"),
    ],
)
def test_what_is_wrong_is_found(made: type, claim: str, words: str) -> None:
    told = {check.name: check.fault for check in check_relaxation(made, seeds=(0,)).faults}
    assert words in told[claim]


def test_a_ranking_is_best_first() -> None:
    class Steep(Unsorted):
        def __init__(self, space: Space):
            super().__init__(space)
            for number, tensor in enumerate(self.parameters()):
                tensor.data.copy_(torch.arange(tensor.numel()).reshape(tensor.shape) + float(number))

    told = {check.name: check.fault for check in check_relaxation(Steep, settles=False).faults}
    assert told == {"ranks options and settles on a legal architecture": "the ranking is not best first"}


def test_tensors_that_the_loss_never_reaches_are_named() -> None:
    class Spare(Darts):
        def parameters(self) -> list[Tensor]:
            return [*super().parameters(), torch.zeros(2, requires_grad=True)]

    told = {check.name: check.fault for check in check_relaxation(Spare, settles=False).faults}
    assert "reaches tensors [1] of parameters()" in told["its gates feel the loss"]
