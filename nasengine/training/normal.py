"""Mean and deviation of each channel: the same figures whether images lie in memory or on disk."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nasengine.training.raw import Images, Raw, at
from nasengine.training.streamed import Streamed, pieces

LEVELS = 256


def figures(images: Images, places: Any) -> tuple[Tensor, Tensor]:
    """Return mean and deviation (channels,) of some images (N, channels, height, width), bytes divided by 255.

    A channel in which all is the same has the deviation 1.
    """
    chosen = at(images, places)
    is_bytes = chosen.kind == "uint8" if isinstance(chosen, Streamed) else chosen.dtype == np.uint8
    mean, std = _of_bytes(chosen) if is_bytes else _of_numbers(chosen)
    return mean, torch.where(std > 0, std, 1.0)


def _of_bytes(images: Images) -> tuple[Tensor, Tensor]:
    """By how often each of the 256 levels comes: exact, and without a copy of the images."""
    channels = images.shape[1]
    counts = np.zeros((channels, LEVELS), np.int64)
    for some in pieces(images):
        for channel in range(channels):
            counts[channel] += np.bincount(some[:, channel].reshape(-1), minlength=LEVELS)
    levels = (torch.arange(LEVELS, dtype=torch.uint8).float() / 255.0).double().numpy()
    total = counts.sum(1)
    mean = counts @ levels / total
    spread = (counts * (levels[None] - mean[:, None]) ** 2).sum(1) / np.maximum(total - 1, 1)
    return torch.from_numpy(mean).float(), torch.from_numpy(np.sqrt(spread)).float()


def _of_numbers(images: Images) -> tuple[Tensor, Tensor]:
    if not isinstance(images, Streamed):
        std, mean = torch.std_mean(torch.from_numpy(np.array(images, np.float32)), dim=(0, 2, 3))
        return mean, std
    total = len(images) * images.shape[2] * images.shape[3]
    mean = sum(some.sum((0, 2, 3), dtype=np.float64) for some in pieces(images)) / total
    around = mean.reshape(1, -1, 1, 1)
    spread = sum(((some - around) ** 2).sum((0, 2, 3)) for some in pieces(images)) / max(total - 1, 1)
    return torch.from_numpy(mean).float(), torch.from_numpy(np.sqrt(spread)).float()


@dataclass(frozen=True)
class Scale:
    """What a regression's labels are standardised by; nothing for other tasks."""

    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    def labels(self, labels: Images) -> Tensor | Streamed:
        """Return labels as a training takes them."""
        if isinstance(labels, Streamed):
            return labels
        if not self.mean:
            return torch.from_numpy(np.array(labels, np.int64))
        return torch.from_numpy(((labels - np.array(self.mean)) / np.array(self.std)).astype(np.float32))


def scale_of(raw: Raw, train: Any) -> Scale:
    """Return mean and deviation of each target over the training images."""
    if raw.task != "regression" or isinstance(raw.labels, Streamed):
        return Scale()
    chosen = raw.labels[train].astype(np.float64)
    std = chosen.std(0, ddof=1)
    return Scale(tuple(chosen.mean(0).tolist()), tuple(np.where(std > 0, std, 1.0).tolist()))
