"""Norms as layers of their own."""

import torch
from torch import Tensor, nn


class BatchNorm(nn.Module):
    """Batch norm over (batch, channels, height, width); `affine` and `track` as in ConvNorm.

    Batch normalization (Ioffe and Szegedy, 2015, https://arxiv.org/abs/1502.03167).
    """

    kind = "norm"

    def __init__(self, channels: int, affine: bool = True, track: bool = True):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=affine, track_running_stats=track)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x)


class Norm(nn.Module):
    """MetaFormer's layer norm without bias: each sample by its mean and variance over channels, height and width.

    MetaFormer (Yu et al., 2022, https://arxiv.org/abs/2210.13452), as its identity and pooling models have it; those
    with convolution or attention normalise over the channels alone.
    """

    kind = "norm"
    keeps_zero = True

    def __init__(self, channels: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.group_norm(x, 1, self.weight, eps=1e-6)
