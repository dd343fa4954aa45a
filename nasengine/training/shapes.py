"""Images made by a formula, for trying out segmentation and regression: circles and squares in noise."""

from typing import Any, Literal

import numpy as np

SIDE = 32
NOISE = 0.25


def make_data(
    task: Literal["segmentation", "regression"] = "segmentation", number: int = 600, seed: int = 0
) -> tuple[Any, Any]:
    """Return images (number, 1, 32, 32) and masks (number, 32, 32), or four numbers each (number, 4).

    On each image lie from one to three circles and squares of different size and brightness; later ones hide earlier
    ones. Pixels are of the ground (0), a circle (1) or a square (2). The numbers are the shares of the pixels that show
    circles and squares, and the mean row and column of all that do. The same seed gives the same images.
    """
    random = np.random.default_rng(seed)
    images, masks = zip(*(_drawn(random) for _ in range(number)), strict=True)
    labels = np.stack(masks)
    return np.stack(images)[:, None].astype(np.float32), labels if task == "segmentation" else _numbers(labels)


def _drawn(random: np.random.Generator) -> tuple[Any, Any]:
    """One image and its mask."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    image, mask = np.zeros((SIDE, SIDE)), np.zeros((SIDE, SIDE), np.int64)
    for _ in range(random.integers(1, 4)):
        row, column = random.integers(4, SIDE - 4, 2)
        radius, kind = random.integers(3, 8), random.integers(1, 3)
        away = np.abs(rows - row), np.abs(columns - column)
        inside = np.hypot(*away) <= radius if kind == 1 else np.maximum(*away) <= 0.85 * radius
        image[inside], mask[inside] = random.uniform(0.4, 1.0), kind
    return image + random.normal(0, NOISE, image.shape), mask


def _numbers(masks: Any) -> Any:
    """What is asked of an image: shares of circles and squares, and where the middle of both is, from 0 to 1."""
    shown = masks > 0
    area = shown.sum((1, 2))
    places = np.arange(SIDE) / (SIDE - 1)
    middle = [(shown.sum(3 - axis) * places).sum(1) / area for axis in (1, 2)]
    shares = [(masks == kind).mean((1, 2)) for kind in (1, 2)]
    return np.stack([*shares, *middle], 1).astype(np.float32)
