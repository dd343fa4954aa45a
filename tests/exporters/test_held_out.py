"""Figures on images that a network was not chosen by."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from nasengine.exporters.held_out import HeldOut, held_out, preprocessing
from nasengine.training import data
from nasengine.training.data import Split


@pytest.fixture(scope="module")
def digits() -> data.Dataset:
    return data.load("digits", limit=200)


def weighted(images: Tensor) -> Tensor:
    """A network without parameters; where the brightest rows are."""
    return torch.nn.functional.interpolate(images.sum(3), 10)[:, 0]


def test_as_many_images_as_the_work_allows_spread_over_the_part(digits: data.Dataset) -> None:
    whole = held_out(digits, "test", 1000)
    assert (whole.images, whole.of) == (len(digits.test), len(digits.test)) and whole.metric == "test_accuracy"
    some = held_out(digits, "test", 10**10)
    assert some.images == 100 and torch.equal(some.split.images[-1], digits.test.images[-1])
    assert held_out(digits, "validation", 1).facts() == {
        "data": "digits", "part": "validation", "images": 50, "of": 50, "value": "validation_accuracy",
    }  # fmt: skip


def test_the_value_does_not_depend_on_how_many_come_at_once(digits: data.Dataset) -> None:
    part, sizes = held_out(digits, "test", 1), set()

    def counted(images: Tensor) -> Tensor:
        sizes.add(len(images))
        return weighted(images)

    free = part.measure(weighted)
    hits = weighted(part.split.images).argmax(1) == part.split.labels
    assert 0 < free < 1 and free == pytest.approx(float(hits.float().mean()))
    assert part.measure(counted, fixed=7) == pytest.approx(free) and sizes == {7}
    sizes.clear()
    assert part.measure(counted, most=8) == pytest.approx(free) and max(sizes) == 8


def test_images_are_brought_to_the_size_that_the_network_takes(digits: data.Dataset) -> None:
    seen = []

    def looking(images: Tensor) -> Tensor:
        seen.append(tuple(images.shape[2:]))
        return weighted(images)

    held_out(digits, "validation", 1).measure(looking, side=12)
    assert set(seen) == {(12, 12)}


def test_maps_of_another_size_are_brought_back_to_the_labels(digits: data.Dataset) -> None:
    labels = (digits.test.images[:, 0] > 0).long()
    pixels = replace(digits, task="segmentation", classes=2, test=Split(digits.test.images, labels))
    part = held_out(pixels, "test", 1)

    def maps(images: Tensor) -> Tensor:
        return torch.cat([-images, images], 1)

    assert part.metric == "test_iou" and part.measure(maps) == 1.0
    assert 0.5 < part.measure(maps, side=16) < 1.0


def test_a_regression_says_how_its_outputs_are_read(digits: data.Dataset) -> None:
    assert preprocessing(digits).keys() == {"bytes_divided_by", "mean", "std"}
    numbers = digits.test.labels[:, None].float()
    told = replace(
        digits, task="regression", classes=1, target_mean=(4.5,), target_std=(2.0,),
        test=Split(digits.test.images, numbers),
    )  # fmt: skip
    assert preprocessing(told)["target_std"] == [2.0]
    part = HeldOut(told, "test", told.test, len(told.test))
    assert part.metric == "test_r2" and part.measure(lambda images: numbers[: len(images)]) < 1.0
