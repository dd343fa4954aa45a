"""Which of the stored channels a drawn network trains, and chance for those who draw networks."""

import random
from typing import Literal

import torch

from nasengine.errors import SpaceError
from nasengine.interpreters.slicing import LEADING, TRAILING, Window, cyclic

Channels = Literal["leading", "bilateral", "cyclic"]


def windows(channels: Channels, rng: random.Random) -> list[Window]:
    """The windows that one network is trained through in a step.

    "leading": the first channels, which are in every network. "bilateral": from the left and from the right, so that
    each channel is trained equally often (BCNet, Su et al., 2021, https://arxiv.org/abs/2105.10533). "cyclic": from a
    place that is drawn (ViTAS, Su et al., 2022, https://arxiv.org/abs/2106.13700).
    """
    if channels == "leading":
        return [LEADING]
    if channels == "bilateral":
        return [LEADING, TRAILING]
    if channels == "cyclic":
        return [cyclic(rng.random())]
    raise SpaceError(f'channels: "{channels}" came; "leading", "bilateral" and "cyclic" are allowed')


def chance(generator: torch.Generator) -> random.Random:
    """Random numbers for drawing networks, which follow from torch's generator and take one number of it."""
    return random.Random(int(torch.randint(2**62, (), generator=generator)))
