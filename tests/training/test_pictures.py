"""Folders of pictures: nested classes, empty ones, and images beside masks."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from nasengine.errors import DataError
from nasengine.training.data import load
from nasengine.training.fidelity import reduced
from tests.training.drawn import draw, draw_folder


def test_the_first_folder_is_the_class_however_deep_pictures_lie(tmp_path: Path) -> None:
    for label, name in enumerate(("ant", "bee")):
        for number in range(4):
            draw(tmp_path / name / "garden" / str(number % 2) / f"{number}.PNG", label, seed=number)
    data = load(tmp_path)
    assert (data.class_names, len(data.development) + len(data.test)) == (("ant", "bee"), 8)


def test_an_empty_class_folder_is_named(tmp_path: Path) -> None:
    (draw_folder(tmp_path) / "dog").mkdir()
    with pytest.raises(DataError, match="class folders without a picture came: dog; .* or remove it"):
        load(tmp_path)


def test_one_class_is_refused(tmp_path: Path) -> None:
    for number in range(5):
        draw(tmp_path / "ant" / f"{number}.png", seed=number)
    with pytest.raises(DataError, match=r"one class came \(ant\); at least two"):
        load(tmp_path)


def paint(root: Path, count: int = 12, white: int = 1, size: int = 8) -> Path:
    """Images with a bright square, and masks that say where it is."""
    random = np.random.default_rng(0)
    for name in ("images", "masks"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for number in range(count):
        image, mask = random.integers(0, 90, (size, size, 3), np.uint8), np.zeros((size, size), np.uint8)
        row, column = random.integers(0, size - 3, 2)
        image[row : row + 3, column : column + 3] += 120
        mask[row : row + 3, column : column + 3] = white
        Image.fromarray(image).save(root / "images" / f"{number}.jpg", quality=95)
        Image.fromarray(mask).save(root / "masks" / f"{number}.png")
    return root


@pytest.mark.parametrize("white", [1, 255])
def test_images_beside_masks(tmp_path: Path, white: int) -> None:
    data = load(paint(tmp_path, white=white))
    assert (data.task, data.classes, data.input, data.balance) == ("segmentation", 2, (3, 8, 8), None)
    assert data.train.labels.shape == (len(data.train), 8, 8)
    assert data.train.labels.dtype == torch.int64
    assert data.train.labels.sum((1, 2)).tolist() == [9] * len(data.train)
    bright = (data.train.images.mean(1) * (2 * data.train.labels - 1)).mean()
    assert bright > 0.5, "masks lie on their images"
    streamed = load(f"{tmp_path}?memory=0")
    assert streamed.fingerprint == data.fingerprint or white == 255
    places = torch.tensor([3, 0])
    assert torch.equal(streamed.train.labels[places], data.train.labels[places])
    assert torch.equal(streamed.train.images[places], data.train.images[places])


def test_ignored_pixels_are_no_class(tmp_path: Path) -> None:
    paint(tmp_path)
    Image.fromarray(np.full((8, 8), 255, np.uint8)).save(tmp_path / "masks" / "0.png")
    assert load(tmp_path).classes == 2


def test_masks_shrink_with_their_images(tmp_path: Path) -> None:
    paint(tmp_path, size=16)
    data = load(f"{tmp_path}?size=8")
    assert (data.input, data.train.labels.shape[1:]) == ((3, 8, 8), (8, 8))
    for found in (
        reduced(data, {"resolution": 4}, 0),
        reduced(load(f"{tmp_path}?size=8&memory=0"), {"resolution": 4}, 0),
    ):
        assert found.train.images[:2].shape == (2, 3, 4, 4)
        assert found.train.labels[:2].shape == (2, 4, 4)
        assert set(found.train.labels[:2].unique().tolist()) <= {0, 1}


def test_stems_that_differ_are_named(tmp_path: Path) -> None:
    paint(tmp_path)
    (tmp_path / "masks" / "3.png").unlink()
    (tmp_path / "images" / "5.jpg").unlink()
    with pytest.raises(DataError) as fault:
        load(tmp_path)
    assert "masks lacks 3;" in str(fault.value) and "images lacks 5;" in str(fault.value)


def test_a_mask_of_colours_is_refused(tmp_path: Path) -> None:
    paint(tmp_path)
    draw(tmp_path / "masks" / "2.png", size=(8, 8))
    with pytest.raises(DataError, match="2.png is no readable picture .mode RGB: a mask holds one number"):
        load(tmp_path)
