"""Recordings of steps without a GPU: what was recorded is run again."""

import weakref
from collections.abc import Callable, Sequence

from torch import Tensor

from nasengine.search.graphed_cuda import Learn
from nasengine.search.turns import Turns
from nasengine.training.metrics import Meter
from nasengine.training.recipe import Recipe

RECIPE = Recipe(epochs=3, batch=8, optimizer="sgd", lr=0.05, momentum=0.9, clip=1.0, label_smoothing=0.1)
Made = Callable[..., Turns]


class Again:
    """In place of a GPU's recorder: what was recorded is run again, into the tensors that it gave first.

    As a graph it holds no more than these tensors.
    """

    def __init__(self) -> None:
        self.recorded = self.repeated = 0

    def __call__(self, learn: Learn) -> Learn:
        self.recorded += 1
        learn()
        held, again = learn(), weakref.WeakMethod(learn)

        def repeat() -> tuple[Tensor, Tensor]:
            self.repeated += 1
            for kept, fresh in zip(held, again()(), strict=True):
                kept.copy_(fresh)
            return held

        return repeat


def steps(turns: Turns, sizes: Sequence[int]) -> list[Tensor]:
    """Losses of steps on batches of these sizes."""
    split, meters = turns.for_weights, (Meter(), Meter())
    for i, size in enumerate(sizes):
        turns.step((split.images[i : i + size], split.labels[i : i + size]), meters)
    return [loss for meter in meters for loss in meter.losses]


def near(one: Tensor, other: Tensor) -> bool:
    return bool((one - other).abs().max() <= 1e-10)


def agree(one: Turns, other: Turns) -> None:
    """Weights, statistics and gates are equal."""
    state, same = one.model.state_dict(), other.model.state_dict()
    assert list(state) == list(same) and all(near(state[name], same[name]) for name in state)
    assert all(map(near, one.gates, other.gates))
