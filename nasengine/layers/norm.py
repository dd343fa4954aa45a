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


class ChannelNorm(nn.Module):
    """Layer norm without bias: each position by its mean and variance over the channels; shapes stay.

    MetaFormer (Yu et al., 2022, https://arxiv.org/abs/2210.13452), as its convolution and attention models have it,
    and every MetaFormer around its downsamplings.
    """

    kind = "norm"
    keeps_zero = True

    def __init__(self, channels: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        last = x.permute(0, 2, 3, 1)
        return nn.functional.layer_norm(last, self.weight.shape, self.weight, eps=1e-6).permute(0, 3, 1, 2)


class GroupNorm(nn.Module):
    """Group norm of one group: each sample by its mean and variance over channels, height and width; shapes stay.

    Group normalization (Wu and He, 2018, https://arxiv.org/abs/1803.08494), as in PoolFormer (Yu et al., 2022,
    https://arxiv.org/abs/2111.11418); it differs from Norm by its bias and by epsilon, 1e-5.
    """

    kind = "norm"

    def __init__(self, channels: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.group_norm(x, 1, self.weight, self.bias, eps=1e-5)
