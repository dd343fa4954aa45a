"""Tiny pictures for the tests of data: three classes that differ in brightness."""

from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("ant", "bee", "cat")


def draw(file: Path, label: int = 0, size: tuple[int, int] = (6, 5), mode: str = "RGB", seed: int = 0) -> Path:
    """A picture of noise around its class' brightness."""
    file.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 80, (*size, 3), dtype=np.uint8)
    Image.fromarray(noise + np.uint8(80 * label)).convert(mode).save(file)
    return file


def draw_folder(root: Path, count: int = 8, size: tuple[int, int] = (6, 5), mode: str = "RGB") -> Path:
    """A folder of pictures for each class."""
    for label, name in enumerate(CLASSES):
        for number in range(count):
            draw(root / name / f"{number}.png", label, size, mode, seed=100 * label + number)
    return root
