"""A small space and small data for gradient searches: an epoch takes a few hundredths of a second."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from nasengine.layers import AvgPool, Classifier, ConvNorm, Identity, SeparableConv, Zero
from nasengine.search.graphed import Graphs
from nasengine.search.relax import Relaxed, relax
from nasengine.search.turns import Turns
from nasengine.space import Space, chain, choose, op, relaxed_only
from nasengine.strategies.darts import Darts
from nasengine.strategies.pr_darts import PRDarts
from nasengine.training.data import Dataset, Split
from nasengine.training.recipe import Recipe
from tests.search.recorded import RECIPE, Made


@pytest.fixture
def small_space() -> Space:
    """Two choices, one after the other."""

    def choice():
        return choose(
            "op", none=relaxed_only(op(Zero)), skip=op(Identity), pool=op(AvgPool, kernel=3),
            conv=op(SeparableConv, kernel=3, affine=False),
        )  # fmt: skip

    stem, head = chain(op(ConvNorm, width=4), op(ConvNorm, width=4, kernel=3)), op(Classifier, classes=3)
    return Space("small", input=(1, 6, 6), network=chain(stem, first=choice(), second=choice(), head=head))


@pytest.fixture
def small_data() -> Dataset:
    """Three classes of 6 by 6 images that differ in their mean."""
    generator = torch.Generator().manual_seed(0)

    def split(count: int) -> Split:
        labels = torch.arange(count) % 3
        return Split(torch.randn(count, 1, 6, 6, generator=generator) + labels[:, None, None, None], labels)

    return Dataset(
        name="small", train=split(48), validation=split(12), test=split(12), input=(1, 6, 6), classes=3,
        fingerprint="small", class_names=("a", "b", "c"), mean=(0.0,), std=(1.0,),
    )  # fmt: skip


@pytest.fixture
def searched(small_space: Space, small_data: Dataset) -> Callable[..., Relaxed]:
    """`searched(made_by=PRDarts, recipe={…}, **arguments of relax)`: a small search from its beginning."""

    def run(made_by: Callable[[Space], Any] = PRDarts, recipe: dict[str, Any] | None = None, **words: Any) -> Relaxed:
        torch.manual_seed(0)
        values = {"epochs": 3, "batch": 8, "lr": 0.01, **(recipe or {})}
        return relax(small_space, made_by(small_space), small_data, Recipe(**values), **words)

    return run


@pytest.fixture
def made(small_space: Space, small_data: Dataset, monkeypatch: pytest.MonkeyPatch) -> Made:
    """`made(again=…)`: the turns of a small search in double precision, with recordings or without."""
    monkeypatch.setattr(torch.Tensor, "float", torch.Tensor.double)  # the loop goes back to float32 before a loss

    def make(strategy: Any = Darts, space: Space = small_space, again: Any = None, **recipe: Any) -> Turns:
        torch.manual_seed(0)
        train = Split(small_data.train.images.double(), small_data.train.labels)
        relaxation = strategy(space)
        for gate in relaxation.parameters():
            gate.data = gate.data.double()
        turns = Turns(
            space, relaxation, replace(small_data, train=train), replace(RECIPE, **recipe), 0, torch.device("cpu")
        )
        turns.model.double().train()
        turns.graphs = None if again is None else Graphs(turns.weights, again)
        return turns

    return make
