"""A planted space: images whose labels only one known option per choice can read, to see whether a search sees.

An image has four channels, each with a bit of its label hidden in it; each channel goes through one choice between the
same four operations (and `none`, in a supernet), and each bit needs another of them:

- level: the mean of the map, under noise whose mean is zero; only the skip connection keeps the mean exactly;
- peak: the height of the brightest pixels, one in every window, above others of random depth; only maximum pooling
  removes those;
- texture: stripes along rows or along columns; only the convolution knows a direction;
- patches: how much four quarters differ, under checkerboards of random strength; only average pooling cancels those.

So the plant is skip, maximum, convolution, average; with any other option the bit stays hidden, or nearly so.
"""

import torch
from torch import Tensor, nn

from nasengine.errors import SpaceError
from nasengine.layers import AvgPool, BatchNorm, Classifier, Identity, MaxPool, SeparableConv, Zero
from nasengine.space import Choice, Published, Space, chain, choose, concat, network, op, reads, relaxed_only
from nasengine.training.data import Dataset, Split

SIDE = 8  # pixels
DARK = 20.0  # what lies this far below zero is hidden from the convolution, which starts with a ReLU
PLANT = {"level": "skip_connect", "peak": "max_pool_3x3", "texture": "sep_conv_3x3", "patches": "avg_pool_3x3"}
ARCHITECTURES = {"plant": Published({f"{bit}.op": (option,) for bit, option in PLANT.items()}, {}, "what reads it all")}


class Channel(nn.Module):
    """One channel of its input: (batch, channels, height, width) -> (batch, 1, height, width)."""

    def __init__(self, channels: int, index: int):
        super().__init__()
        self.index = index

    def forward(self, x: Tensor) -> Tensor:
        return x[:, self.index : self.index + 1]


class Contrast(nn.Module):
    """How far each pixel is from its map's mean; shapes stay."""

    def __init__(self, channels: int):
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        return (x - x.mean((2, 3), keepdim=True)).abs()


class Mean(nn.Module):
    """The mean of each map: (batch, channels, height, width) -> (batch, channels, 1, 1)."""

    def __init__(self, channels: int):
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3), keepdim=True)


def space(input: tuple[int, int, int] = (4, SIDE, SIDE), classes: int = 16, affine: bool = False) -> Space:
    """Four choices side by side, each read as one number.

    affine: whether the norms in the convolutions learn a scale and a shift
    """
    if input[0] < len(PLANT):
        raise SpaceError(f"space planted: {input[0]} channels came; it reads {len(PLANT)}, one a choice")
    branches = {}
    for index, bit in enumerate(PLANT):
        measure = [op(Contrast)] if bit == "patches" else []
        branches[bit] = reads("input", chain(op(Channel, index=index), _operations(affine), *measure, op(Mean)))
    joined = reads(*PLANT, concat())
    whole = network(**branches, joined=joined, norm=op(BatchNorm, affine=False), head=op(Classifier, classes=classes))
    return Space("planted", input=input, network=whole)


def _operations(affine: bool) -> Choice:
    return choose(
        "op",
        none=relaxed_only(op(Zero)),
        skip_connect=op(Identity),
        max_pool_3x3=op(MaxPool, kernel=3),
        avg_pool_3x3=op(AvgPool, kernel=3),
        sep_conv_3x3=op(SeparableConv, kernel=3, affine=affine),
    )


def dataset(train: int = 1024, validation: int = 512, test: int = 512, seed: int = 0) -> Dataset:
    """Images (4, 8, 8) of 16 classes, the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    parts = [_split(count, generator) for count in (train, validation, test)]
    return Dataset(
        name="planted", train=parts[0], validation=parts[1], test=parts[2], input=(4, SIDE, SIDE), classes=16,
        fingerprint=f"planted-{train}-{validation}-{test}-{seed}",
        class_names=tuple(f"{label:04b}" for label in range(16)), mean=(0.0,) * 4, std=(1.0,) * 4,
    )  # fmt: skip


def _split(count: int, generator: torch.Generator) -> Split:
    bits = torch.randint(0, 2, (count, 4), generator=generator)
    signs = (2 * bits - 1).float()[:, :, None, None]
    hidden = (_level, _peak, _texture, _patches)
    maps = [hide(sign, generator) for hide, sign in zip(hidden, signs.unbind(1), strict=True)]
    return Split(torch.stack(maps, 1), bits @ torch.tensor([8, 4, 2, 1]))


def _uniform(generator: torch.Generator, count: int, side: int = 1) -> Tensor:
    return torch.rand(count, side, side, generator=generator)


def _level(sign: Tensor, generator: torch.Generator) -> Tensor:
    """Noise, a spot and a frame, each of random strength and of mean zero; the sign is in the mean."""
    count = len(sign)
    noise = (1 + 4 * _uniform(generator, count)) * torch.randn(count, SIDE, SIDE, generator=generator)
    spot = torch.zeros(count, SIDE * SIDE)
    spot.scatter_(1, torch.randint(0, SIDE * SIDE, (count, 1), generator=generator), 20.0)
    x = noise + spot.view_as(noise) * _uniform(generator, count) + _frame() * (24 * _uniform(generator, count) - 12)
    return x - x.mean((1, 2), keepdim=True) + 0.5 * sign


def _frame() -> Tensor:
    """The outermost pixels up and those beside them down, which windows that end at the border weigh unequally."""
    frame = torch.ones(SIDE, SIDE)
    frame[1:-1, 1:-1] = -28 / 20
    frame[2:-2, 2:-2] = 0.0
    return frame


def _peak(sign: Tensor, generator: torch.Generator) -> Tensor:
    """A lattice that every window of three by three meets, and pixels below it, as deep as chance has it."""
    count = len(sign)
    x = -8 * _uniform(generator, count) * _uniform(generator, count, SIDE)
    x[:, 1::3, 1::3] = 0.5 + 0.25 * sign
    return x - DARK


def _texture(sign: Tensor, generator: torch.Generator) -> Tensor:
    """Stripes of one pixel with a random phase and strength, under noise and a random mean."""
    count = len(sign)
    stripes = torch.tensor([1.0, -1.0]).repeat(SIDE // 2).expand(SIDE, SIDE)
    phase = 2.0 * (_uniform(generator, count) < 0.5) - 1
    x = torch.where(sign > 0, stripes.T, stripes) * phase * (1.0 + _uniform(generator, count))
    noise = torch.randn(count, SIDE, SIDE, generator=generator) + torch.randn(count, 1, 1, generator=generator)
    return x + 0.5 * noise


def _patches(sign: Tensor, generator: torch.Generator) -> Tensor:
    """Quarters up or down, weakly or strongly; a checkerboard of random strength on each."""
    count = len(sign)
    ups = 2.0 * torch.randint(0, 2, (count, 2, 2), generator=generator) - 1
    ups[:, 0, 0], ups[:, 1, 1] = 1.0, -1.0
    checkerboard = (-1.0) ** (torch.arange(SIDE)[:, None] + torch.arange(SIDE))
    quarters = ups * (1 + 0.5 * sign), 6 * _uniform(generator, count, 2)
    up, strength = (x.repeat_interleave(SIDE // 2, 1).repeat_interleave(SIDE // 2, 2) for x in quarters)
    return up + strength * checkerboard - DARK
