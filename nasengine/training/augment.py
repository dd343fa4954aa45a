"""Random crops, mirror images and cutout for whole batches at once."""

import torch
from torch import Tensor

from nasengine.training.counting import IGNORED
from nasengine.training.recipe import Recipe


def augment(images: Tensor, recipe: Recipe, generator: torch.Generator) -> Tensor:
    """Return changed copies of normalised images (batch, channels, height, width); the very images if all is off.

    Crop with padding and mirroring as He et al., 2016 (https://arxiv.org/abs/1512.03385) used on CIFAR; cutout as
    DeVries and Taylor, 2017 (https://arxiv.org/abs/1708.04552): a square whose centre is anywhere in the image, clipped
    at the borders. Both fill with zeros. Departure: images come normalised, so the padding is the mean colour and not
    black. Numbers are drawn where the generator lives.
    """
    side = min(images.shape[2:])
    padding, square = pixels(recipe.crop, side), pixels(recipe.cutout, side)
    if padding or recipe.flip:
        images = _shift(images, padding, recipe.flip, generator)
    return _cut(images, square, generator) if square else images


def augment_both(images: Tensor, labels: Tensor, recipe: Recipe, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return changed copies of images, and their labels; masks (batch, height, width) move with their images.

    Pixels that a crop brings in from outside are labelled to be ignored. Cutout hides pixels of images alone.
    """
    if labels.dim() != 3:
        return augment(images, recipe, generator), labels
    side = min(images.shape[2:])
    padding, square = pixels(recipe.crop, side), pixels(recipe.cutout, side)
    if padding or recipe.flip:
        # as one more channel, in which the padding's zeros mean that a pixel is ignored
        both = torch.cat([images, (labels - IGNORED).to(images.dtype)[:, None]], 1)
        both = _shift(both, padding, recipe.flip, generator)
        images, labels = both[:, :-1], both[:, -1].long() + IGNORED
    return (_cut(images, square, generator) if square else images), labels


def pixels(size: float, side: int) -> int:
    """Return a size in pixels: from 1 on it is one already, below it is a fraction of the side."""
    return int(size) if size >= 1 else int(size * side)


def _draw(least: int, beyond: int, images: Tensor, generator: torch.Generator) -> Tensor:
    drawn = torch.randint(least, beyond, (len(images), 1), generator=generator, device=generator.device)
    return drawn.to(images.device)


def _shift(images: Tensor, padding: int, flip: bool, generator: torch.Generator) -> Tensor:
    count, _, height, width = images.shape
    rows = torch.arange(height, device=images.device) + _draw(0, 2 * padding + 1, images, generator)
    columns = torch.arange(width, device=images.device) + _draw(0, 2 * padding + 1, images, generator)
    if flip:
        columns = torch.where(_draw(0, 2, images, generator).bool(), columns.flip(1), columns)
    padded = torch.nn.functional.pad(images, (padding,) * 4)
    picture = torch.arange(count, device=images.device)[:, None, None]
    # Indexing around the channels brings them last, which is the order convolutions like best.
    return padded[picture, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def _cut(images: Tensor, square: int, generator: torch.Generator) -> Tensor:
    height, width = images.shape[2:]
    rows = torch.arange(height, device=images.device) - _draw(0, height, images, generator) + square // 2
    columns = torch.arange(width, device=images.device) - _draw(0, width, images, generator) + square // 2
    inside = ((rows >= 0) & (rows < square))[:, None, :, None] & ((columns >= 0) & (columns < square))[:, None, None, :]
    return images.masked_fill(inside, 0.0)
