"""Cheaper trainings: what stays of a data set, and which words are refused."""

from typing import Any

import pytest
import torch

from nasengine.errors import NasError
from nasengine.training.data import Dataset, Split, load
from nasengine.training.fidelity import check_fidelity, reduced


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("digits", limit=400)


def pictures(split: Split) -> set[bytes]:
    return {image.numpy().tobytes() for image in split.images}


def test_a_share_keeps_all_classes_in_proportion_and_validation_whole(digits: Dataset) -> None:
    half = reduced(digits, {"share": 0.5}, seed=0)
    assert len(half.train) == 150
    assert torch.bincount(half.train.labels).min() >= 14
    assert pictures(half.train) < pictures(digits.train)
    assert half.validation is digits.validation
    assert half.test is digits.test
    assert half.fingerprint != digits.fingerprint


def test_the_same_seed_keeps_the_same_images_and_they_are_cut_once(digits: Dataset) -> None:
    first, other = reduced(digits, {"share": 0.3}, seed=1), reduced(digits, {"share": 0.3}, seed=2)
    assert reduced(digits, {"share": 0.3, "epochs": 2}, seed=1) is first
    again = reduced(load("digits", limit=400), {"share": 0.3}, seed=1)
    assert again is not first
    assert torch.equal(again.train.images, first.train.images)
    assert pictures(first.train) != pictures(other.train)


def test_nothing_asked_for_is_nothing_done(digits: Dataset) -> None:
    assert reduced(digits, {"limit": 400, "epochs": 3}, seed=0) is digits
    assert reduced(digits, {"share": 1.0, "resolution": 8}, seed=0) is digits


@pytest.mark.parametrize("side", [4, 5, 12])
def test_images_are_brought_to_a_resolution(digits: Dataset, side: int) -> None:
    changed = reduced(digits, {"resolution": side}, seed=0)
    assert changed.input == (1, side, side)
    for name in ("train", "validation", "test"):
        before, after = getattr(digits, name), getattr(changed, name)
        assert after.images.shape == (len(before), 1, side, side)
        assert torch.equal(after.labels, before.labels)
    assert changed.train.images.mean().item() == pytest.approx(0, abs=0.1)


def test_shrinking_takes_every_pixel_into_account() -> None:
    """Without smoothing, fine stripes would turn all white or all black where they shrink to a quarter."""
    stripes = (torch.arange(16) % 2).float().expand(12, 1, 16, 16)
    data = load((torch.cat([stripes, 1 - stripes]), torch.arange(24) % 2))
    small = reduced(data, {"resolution": 4}, seed=0).train.images
    assert small[..., 1:-1, 1:-1].abs().max() < 0.15
    assert data.train.images.abs().min() > 0.9


def test_a_constant_image_stays_constant_when_enlarged() -> None:
    images = torch.arange(24.0)[:, None, None, None].expand(24, 1, 4, 6)
    data = load((images, torch.arange(24) % 2))
    large = reduced(data, {"resolution": 9}, seed=0).train.images
    torch.testing.assert_close(large, data.train.images[:, :, :1, :1].expand(-1, 1, 9, 9))


def test_a_good_fidelity_passes(digits: Dataset) -> None:
    check_fidelity({}, digits)
    check_fidelity({"limit": 400, "epochs": 1, "share": 0.25, "resolution": 4}, digits)


@pytest.mark.parametrize(
    ("fidelity", "words"),
    [
        ({"epochs": 0}, "epochs 0 came; a whole number from 1 up"),
        ({"epochs": 2.5}, "epochs 2.5 came"),
        ({"epochs": True}, "epochs True came"),
        ({"resolution": -4}, "resolution -4 came"),
        ({"share": 0}, "share 0 came; a number above 0, up to 1"),
        ({"share": 1.5}, "share 1.5 came"),
        ({"share": float("nan")}, "share nan came"),
        ({"share": "half"}, "share 'half' came"),
        ({"share": 0.01}, r"share 0.01 came; from 0.067 up is allowed, two of the 300 training images"),
        ({"resolutoin": 4}, 'Did you mean "resolution"'),
    ],
)
def test_bad_values_are_refused(fidelity: dict[str, Any], words: str, digits: Dataset) -> None:
    with pytest.raises(NasError, match=words):
        check_fidelity(fidelity, digits)


def test_all_faults_are_named_at_once(digits: Dataset) -> None:
    with pytest.raises(NasError) as fault:
        check_fidelity({"epochs": 0, "share": 2, "resolution": 0, "depth": 3}, digits)
    assert len(str(fault.value).splitlines()) == 4
