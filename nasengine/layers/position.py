"""Layers that tell positions apart, for mixers that do not see where things stand."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class PositionMap(nn.Module):
    """Adds a learned map of `size` (height, width), the same to every image; shapes stay.

    Where an image of another size comes, the map is resized to it bilinearly. iFormer (Si et al., 2022,
    https://arxiv.org/abs/2205.12956), which has one at the start of each stage. Departure: maps need not be square.
    """

    kind = "skip"

    def __init__(self, channels: int, size: tuple[int, int]):
        super().__init__()
        self.map = nn.Parameter(torch.empty(1, channels, *size).normal_(std=0.02))

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[2:] == self.map.shape[2:]:
            return x + self.map
        return x + functional.interpolate(self.map, x.shape[2:], mode="bilinear", align_corners=False)


class PositionConv(nn.Module):
    """Adds a depthwise convolution with bias to what came in: positions as their neighbourhood; shapes stay.

    CPVT (Chu et al., 2021, https://arxiv.org/abs/2102.10882), as in UniFormer (Li et al., 2022,
    https://arxiv.org/abs/2201.09450) and UniNet (Liu et al., 2022, https://arxiv.org/abs/2207.05420).
    """

    kind = "skip"

    def __init__(self, channels: int, kernel: int = 3):
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, kernel, padding=kernel // 2, groups=channels)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.depthwise(x)
