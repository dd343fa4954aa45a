"""What labels mean, and what is wrong with them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from nasengine.errors import DataError
from nasengine.training.data import load


def images(count: int = 60, shape: tuple[int, ...] = (6, 5)) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, *shape), dtype=np.uint8)


@pytest.mark.parametrize(("shape", "channels"), [((2, 9, 12), 2), ((9, 12, 2), 2), ((7, 20, 30), 7), ((20, 30, 7), 7)])
def test_channels_are_the_short_axis(shape: tuple[int, ...], channels: int) -> None:
    assert load((images(shape=shape), np.arange(60) % 3)).input[0] == channels


def test_words_are_classes(tmp_path: Path) -> None:
    np.savez(tmp_path / "set.npz", images=images(), labels=np.array(["bee", "ant", "cat"])[np.arange(60) % 3])
    data = load(tmp_path / "set.npz")
    assert (data.class_names, data.balance) == (("ant", "bee", "cat"), (12, 12, 12))


@pytest.mark.parametrize(
    "names", ["train_images train_labels val_images val_labels", "X_train Y_train x_valid y_valid"]
)
def test_an_npz_spelled_in_other_ways(tmp_path: Path, names: str) -> None:
    arrays = dict(zip(names.split(), (images(), np.arange(60) % 3, images(12), np.arange(12) % 3), strict=True))
    np.savez(tmp_path / "set.npz", **arrays)
    data = load(tmp_path / "set.npz")
    assert (len(data.train), len(data.validation), len(data.test)) == (48, 12, 12)


def test_an_npz_of_any_names(tmp_path: Path) -> None:
    np.savez(tmp_path / "set.npz", faces=images(), ages=np.linspace(0.5, 80, 60))
    data = load(f"{tmp_path / 'set.npz'}?column=faces&label=ages")
    assert (data.task, data.target_mean[0]) == ("regression", pytest.approx(40, abs=8))
    with pytest.raises(DataError, match='no column is called "fases"; faces, ages came.*Did you mean "faces"'):
        load(f"{tmp_path / 'set.npz'}?column=fases&label=ages")


def test_masks_beside_arrays(tmp_path: Path) -> None:
    masks = (images() // 100).astype(np.int64)
    masks[0, 0] = 255
    np.savez(tmp_path / "set.npz", x=images(), y=masks)
    data = load(tmp_path / "set.npz")
    assert (data.task, data.classes, data.train.labels.dtype) == ("segmentation", 3, torch.int64)
    outside = load(f"{tmp_path / 'set.npz'}?memory=0")
    assert torch.equal(outside.validation.labels[:], data.validation.labels)
    small = load(f"{tmp_path / 'set.npz'}?size=4")
    assert (small.input, small.train.labels.shape[1:]) == ((1, 4, 4), (4, 4))


def test_channels_are_converted(tmp_path: Path) -> None:
    for name, shape in (("grey", (6, 5)), ("rgb", (6, 5, 3))):
        np.savez(tmp_path / f"{name}.npz", x=images(shape=shape), y=np.arange(60) % 3)
    assert load(f"{tmp_path / 'rgb.npz'}?channels=grey").input == (1, 6, 5)
    assert load(f"{tmp_path / 'grey.npz'}?channels=rgb").input == (3, 6, 5)
    with pytest.raises(DataError, match="images of 1 channels came, and 4 are asked for"):
        load(f"{tmp_path / 'grey.npz'}?channels=rgba")


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.arange(60) % 3 * 1.0, "all are whole numbers; classes or amounts"),
        (np.r_[np.nan, np.linspace(0.1, 1, 59)], "1 labels that are NaN or infinite"),
        (np.full(60, 0.5), "the same number in every image came for the target 0"),
        (np.arange(60) * 10**9, "labels from 0 to 59000000000 came for 60 images; labels must run from 0"),
        (np.zeros((60, 6, 5), int), "masks of one class came"),
        (np.full((60, 6, 5), 300), "masks with numbers from 300 to 300 came; 0 to 254"),
        (np.zeros((60, 6, 4), int), r"masks of \(6, 4\) came; \(6, 5\) is needed"),
        (np.zeros((60, 2), int), r"labels of shape \(60, 2\) and type int64 came; one whole number each"),
        (np.zeros((60, 6, 5)) + 0.5, "masks are .N, height, width. whole numbers"),
    ],
)
def test_labels_that_cannot_be_learned_are_refused(labels: np.ndarray, words: str) -> None:
    with pytest.raises(DataError, match=words):
        load((images(), labels))


def test_a_regression_is_divided_and_limited() -> None:
    data = load((images(), np.random.default_rng(1).normal(5, 2, (60, 2))), limit=20)
    assert (len(data.development), len(data.test), data.classes) == (20, 12, 2)
    assert data.target_std == pytest.approx((2, 2), rel=0.5)
