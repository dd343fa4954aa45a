"""Training as an evaluator: which images are touched when, and what a failure becomes."""

import dataclasses
import math
import random
from pathlib import Path
from typing import Any

import pytest
import torch

from nasengine import plugins
from nasengine.errors import TrainingError
from nasengine.evaluators import train
from nasengine.interpreters.cost import cost
from nasengine.interpreters.model import Model
from nasengine.interpreters.weights import load_weights
from nasengine.job import Job
from nasengine.space import Architecture, Space
from nasengine.training import data
from nasengine.training.recipe import recipe

SETTINGS = {"input": (1, 8, 8), "channels": 4, "layers": 2}
MEASURED = ("accuracy", "balanced_accuracy", "f1", "loss", "top5_accuracy")


@pytest.fixture(scope="module")
def dataset() -> data.Dataset:
    return data.load("digits", limit=200)


@pytest.fixture(scope="module")
def space() -> Space:
    return plugins.load_space("darts", SETTINGS)


def job(space: Space, final: bool = False, **recipe_values: Any) -> Job:
    architecture = space.sample(random.Random(0))
    chosen = recipe("proxy", **{"epochs": 2, **recipe_values})
    picks, fidelity = architecture.to_json(), {"limit": 200}
    return Job(3, "darts", SETTINGS, picks, "train", chosen.to_json(), "digits", fidelity, 0, final=final)


def only(part: data.Split, wrong: bool = False) -> data.Split:
    """The split, with images that nothing finite comes out of where it must not be touched."""
    return dataclasses.replace(part, images=torch.full_like(part.images, math.nan)) if wrong else part


def test_a_candidate_never_touches_test_images(space: Space, dataset: data.Dataset) -> None:
    blind = dataclasses.replace(dataset, test=only(dataset.test, wrong=True))
    result = train.evaluate(job(space), space, blind)
    assert result.error is None
    assert set(result.values) == {"train_accuracy", "train_loss", *(f"validation_{name}" for name in MEASURED)}
    assert all(math.isfinite(value) for value in result.values.values())


def test_the_final_training_learns_from_validation_images_and_measures_on_test(
    space: Space, dataset: data.Dataset
) -> None:
    result = train.evaluate(job(space, final=True), space, dataset)
    assert set(result.values) == {"train_accuracy", "train_loss", *(f"test_{name}" for name in MEASURED)}
    blind = dataclasses.replace(dataset, validation=only(dataset.validation, wrong=True))
    broken = train.evaluate(job(space, final=True), space, blind)
    assert "no finite number" in str(broken.error)


def test_the_same_job_gives_the_same_numbers_whatever_the_global_seed(space: Space, dataset: data.Dataset) -> None:
    torch.manual_seed(1)
    one = train.evaluate(job(space), space, dataset)
    torch.manual_seed(2)
    two = train.evaluate(job(space), space, dataset)
    assert one.values == two.values
    assert [epoch["epoch"] for epoch in one.epochs] == [1, 2]


def test_the_weights_left_behind_are_those_measured(space: Space, dataset: data.Dataset, tmp_path: Path) -> None:
    result = train.evaluate(job(space), space, dataset, weights_to=tmp_path / "w.safetensors")
    architecture = Architecture.from_json(result.architecture)
    model = Model(space, architecture)
    load_weights(model, Path(str(result.weights)))
    measured = train.measure(model, dataset.validation)
    assert measured["accuracy"] == pytest.approx(result.values["validation_accuracy"])
    counted = cost(space, architecture)
    assert (result.params, result.macs) == (counted.params, counted.macs)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TrainingError("the loss was no finite number; try a smaller lr"), "try a smaller lr"),
        (torch.OutOfMemoryError("the device is full"), "tried micro-batches 64, 32, 16, 8, 4, 2;"),
        (ValueError("odd"), "ValueError: odd (in "),
    ],
)
def test_whatever_goes_wrong_is_a_result_with_an_error(
    error: Exception, words: str, space: Space, dataset: data.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **more: Any) -> None:
        raise error

    monkeypatch.setattr(train, "fit", broken)
    result = train.evaluate(job(space), space, dataset)
    assert words in str(result.error)
    assert result.values == {}
    assert result.params


def test_ctrl_c_is_no_result(space: Space, dataset: data.Dataset) -> None:
    def stop(values: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train.evaluate(job(space), space, dataset, on_epoch=stop)


def test_a_searched_recipe_is_what_the_candidate_is_trained_with(space: Space, dataset: data.Dataset) -> None:
    with_recipe = dataclasses.replace(space, recipe={"epochs": 1})
    assert len(train.evaluate(job(space), with_recipe, dataset).epochs) == 1


def test_a_training_ends_after_the_epoch_of_which_it_is_told_so(
    space: Space, dataset: data.Dataset, tmp_path: Path
) -> None:
    asked = job(space, epochs=5)
    whole = train.evaluate(asked, space, dataset)
    stopped = train.evaluate(asked, space, dataset, on_epoch=lambda values: values["epoch"] == 3)
    assert stopped.error is None
    assert stopped.stopped == 3
    assert [epoch["epoch"] for epoch in stopped.epochs] == [1, 2, 3]
    for name, value in stopped.values.items():
        assert value == stopped.epochs[-1][name] == whole.epochs[2][name]
    assert whole.stopped is None


def test_at_the_last_epoch_the_word_means_nothing(space: Space, dataset: data.Dataset) -> None:
    result = train.evaluate(job(space, epochs=2), space, dataset, on_epoch=lambda values: values["epoch"] == 2)
    assert (result.stopped, len(result.epochs), result.error) == (None, 2, None)


def test_a_resumed_training_keeps_its_whole_curve(space: Space, dataset: data.Dataset, tmp_path: Path) -> None:
    asked, checkpoint, heard = job(space, epochs=4), tmp_path / "training.pt", []
    whole = train.evaluate(asked, space, dataset)

    def die(values: Any) -> None:
        if values["epoch"] == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train.evaluate(asked, space, dataset, on_epoch=die, checkpoint=checkpoint)
    resumed = train.evaluate(
        asked, space, dataset, on_epoch=lambda values: heard.append(values["epoch"]), checkpoint=checkpoint
    )
    assert heard == [2, 3, 4]
    assert resumed.values == whole.values
    assert [epoch["train_loss"] for epoch in resumed.epochs] == [epoch["train_loss"] for epoch in whole.epochs]


def test_a_word_to_stop_that_was_lost_is_given_again_before_another_epoch(
    space: Space, dataset: data.Dataset, tmp_path: Path
) -> None:
    asked, checkpoint = job(space, epochs=4), tmp_path / "training.pt"
    whole = train.evaluate(asked, space, dataset)

    def die(values: Any) -> None:
        if values["epoch"] == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train.evaluate(asked, space, dataset, on_epoch=die, checkpoint=checkpoint)
    resumed = train.evaluate(asked, space, dataset, on_epoch=lambda values: values["epoch"] == 2, checkpoint=checkpoint)
    assert resumed.stopped == 2
    assert resumed.values["validation_loss"] == whole.epochs[1]["validation_loss"]


def test_a_final_training_may_run_out_of_time_and_is_measured_nevertheless(space: Space, dataset: data.Dataset) -> None:
    result = train.evaluate(job(space, final=True), space, dataset, on_epoch=lambda values: True)
    assert result.stopped == 1
    assert "test_accuracy" in result.values


def test_fidelity_replaces_epochs_and_takes_a_share_of_smaller_images(
    space: Space, dataset: data.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[data.Split] = []
    fitted = train.fit

    def watch(model: Model, images: data.Split, chosen: Any, **more: Any) -> Any:
        seen.extend([images, more["validation"]])
        return fitted(model, images, chosen, **more)

    monkeypatch.setattr(train, "fit", watch)
    small = plugins.load_space("darts", {**SETTINGS, "input": (1, 6, 6)})
    fidelity = {"limit": 200, "epochs": 3, "share": 0.5, "resolution": 6}
    result = train.evaluate(dataclasses.replace(job(small), fidelity=fidelity), small, dataset)
    assert result.error is None
    assert seen[0].images.shape == (75, 1, 6, 6)
    assert seen[1].images.shape == (50, 1, 6, 6)
    assert result.epochs[-1]["lr"] < result.epochs[0]["lr"] / 10, "the rate falls over these epochs"
    assert len(result.epochs) == 3


def test_a_full_disk_is_said_with_what_to_do(
    space: Space, dataset: data.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_bytes
    monkeypatch.setattr(Path, "write_bytes", lambda path, content: write(Path("/dev/full"), content))
    result = train.evaluate(job(space), space, dataset, checkpoint=tmp_path / "x.pt")
    assert result.error is not None and result.error.startswith("disk full: ") and "nasengine retry" in result.error
