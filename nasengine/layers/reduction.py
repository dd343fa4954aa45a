"""Layers that halve the height and width."""

import torch
from torch import Tensor, nn

from nasengine.layers.convolution import ReLUConvNorm


class FactorizedReduce(nn.Module):
    """DARTS' skip at stride 2: (batch, channels, height, width) -> (batch, width, height / 2, width / 2), rounded up.

    ReLU; two pointwise convolutions of stride 2, the second on the input shifted by one pixel; batch norm.
    `width` is that of the input unless given, and even. DARTS (Liu et al., 2019, https://arxiv.org/abs/1806.09055).

    Departures: an odd height or width is padded at the shifted end (the original fails there), and the two halves
    alternate along the channels instead of following each other, so that the leading channels of a wide layer are a
    narrow one. Raises ValueError for an odd `width`.
    """

    kind = "skip"

    def __init__(self, channels: int, width: int | None = None, affine: bool = True, track: bool = True):
        super().__init__()
        width = channels if width is None else width
        if width % 2:
            raise ValueError(f"FactorizedReduce: width came as {width}; it is made of two halves, give an even number")
        self.even = nn.Conv2d(channels, width // 2, 1, stride=2, bias=False)
        self.odd = nn.Conv2d(channels, width // 2, 1, stride=2, bias=False)
        self.norm = nn.BatchNorm2d(width, affine=affine, track_running_stats=track)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(x)
        shifted = nn.functional.pad(x[:, :, 1:, 1:], (0, 1, 0, 1))
        halves = self.even(x), self.odd(shifted)
        return self.norm(nn.functional.channel_shuffle(torch.cat(halves, 1), 2))


class ResidualReduction(nn.Module):
    """NAS-Bench-201's block between stages: (batch, channels, height, width) -> (batch, width, height / 2, width / 2).

    Two ReLU-convolution-norms of kernel 3, the first of stride 2, added to a shortcut of average pooling and a
    pointwise convolution. Odd sizes are rounded up. NAS-Bench-201 (Dong and Yang, 2020,
    https://arxiv.org/abs/2001.00326).
    """

    kind = "conv"

    def __init__(self, channels: int, width: int, affine: bool = True, track: bool = True):
        super().__init__()
        self.first = ReLUConvNorm(channels, width, kernel=3, stride=2, affine=affine, track=track)
        self.second = ReLUConvNorm(width, width, kernel=3, affine=affine, track=track)
        self.pool = nn.AvgPool2d(2, ceil_mode=True)
        self.shortcut = nn.Conv2d(channels, width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(self.pool(x)) + self.second(self.first(x))
