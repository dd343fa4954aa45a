"""Out of memory in a training: the same batch in smaller parts, from the last epoch on."""

import dataclasses
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nasengine.evaluators import train
from nasengine.job import Job
from nasengine.layers import Classifier, ConvNorm
from nasengine.space import Space, chain, choose, op
from nasengine.training import checkpoint, data
from nasengine.training.recipe import recipe


class Hungry(nn.Module):
    """Needs more memory than there is for more than `most` images, from the first call or a later one on."""

    most, patience = 1000, 0

    def __init__(self, channels: int):
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        if not x.is_meta and len(x) > Hungry.most:
            Hungry.patience -= 1
            if Hungry.patience < 0:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return x * 1.0


@pytest.fixture
def hungry(monkeypatch: pytest.MonkeyPatch) -> type[Hungry]:
    monkeypatch.setattr(Hungry, "most", 10)
    monkeypatch.setattr(Hungry, "patience", 0)
    return Hungry


@pytest.fixture(scope="module")
def dataset() -> data.Dataset:
    return data.load("digits", limit=200)


@pytest.fixture(scope="module")
def space() -> Space:
    network = chain(
        stem=op(ConvNorm, width=choose("width", 4, 8), kernel=3),
        hungry=op(Hungry),
        head=op(Classifier, classes=10),
    )
    return Space("hungry", input=(1, 8, 8), network=network)


def job(space: Space, **more: Any) -> Job:
    architecture = space.sample(random.Random(0)).to_json()
    chosen = recipe("proxy", epochs=4, batch=64, optimizer="sgd", lr=0.05).to_json()
    return Job(0, "hungry", {}, architecture, "train", chosen, "digits", {"limit": 200}, 0, **more)


def test_parts_of_the_batch_get_smaller_until_they_fit(
    space: Space, dataset: data.Dataset, hungry: type[Hungry]
) -> None:
    result = train.evaluate(job(space), space, dataset)
    assert result.error is None
    assert result.cost["micro_batch"] == 8
    assert [epoch["epoch"] for epoch in result.epochs] == [1, 2, 3, 4]
    assert result.epochs[-1]["train_loss"] < result.epochs[0]["train_loss"]


def test_where_it_starts_is_the_jobs_to_say(space: Space, dataset: data.Dataset, hungry: type[Hungry]) -> None:
    result = train.evaluate(job(space, micro_batch=20), space, dataset)
    assert result.cost["micro_batch"] == 10
    hungry.most = 1000
    assert train.evaluate(job(space, micro_batch=20), space, dataset).cost["micro_batch"] == 20
    assert train.evaluate(job(space, micro_batch=640), space, dataset).cost == {}


def test_it_goes_on_from_the_last_epoch(
    space: Space, dataset: data.Dataset, hungry: type[Hungry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "SPACING", 0)  # each epoch is saved
    hungry.patience, heard = 8, []  # three batches of training and one of validation an epoch
    result = train.evaluate(
        job(space), space, dataset, on_epoch=lambda values: heard.append(values["epoch"]), checkpoint=tmp_path / "c.pt"
    )
    assert result.error is None
    assert result.cost["micro_batch"] == 8
    assert heard == [1, 2, 2, 2, 2, 3, 4], (
        "the checkpoint's epoch is told in each of four attempts, none is trained again"
    )
    hungry.most = 1000
    whole = train.evaluate(job(space), space, dataset)
    kept = [(epoch["train_loss"], epoch["validation_loss"]) for epoch in result.epochs]
    plain = [(epoch["train_loss"], epoch["validation_loss"]) for epoch in whole.epochs]
    assert kept[:2] == plain[:2]
    assert kept[2:] != plain[2:], "batch norm's statistics are those of smaller parts"
    assert kept[3][0] == pytest.approx(plain[3][0], rel=0.2)


def test_when_two_images_are_too_many_the_result_says_what_was_tried(
    space: Space, dataset: data.Dataset, hungry: type[Hungry]
) -> None:
    hungry.most = 1
    result = train.evaluate(job(space), space, dataset)
    assert str(result.error).startswith(
        "out of memory: CUDA out of memory. Tried to allocate 2.00 GiB.; tried micro-batches 64, 32, 16, 8, 4, 2;"
    )
    assert result.values == {}
    assert result.params


def test_the_final_training_and_its_measurement_fit_too(
    space: Space, dataset: data.Dataset, hungry: type[Hungry]
) -> None:
    result = train.evaluate(dataclasses.replace(job(space), final=True), space, dataset)
    assert result.error is None
    assert "test_accuracy" in result.values
