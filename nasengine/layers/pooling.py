"""Pooling over neighbouring pixels."""

from torch import Tensor, nn


class MaxPool(nn.Module):
    """The maximum of each window: the channels stay, stride divides height and width, rounded up."""

    kind = "pool"
    keeps_zero = True

    def __init__(self, channels: int, kernel: int = 3, stride: int = 1):
        super().__init__()
        self.pool = nn.MaxPool2d(kernel, stride, (kernel - 1) // 2, ceil_mode=kernel % 2 == 0)

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(x)


class AvgPool(nn.Module):
    """The mean of each window, the padding not counted: the channels stay, stride divides height and width."""

    kind = "pool"
    keeps_zero = True

    def __init__(self, channels: int, kernel: int = 3, stride: int = 1):
        super().__init__()
        self.pool = nn.AvgPool2d(kernel, stride, (kernel - 1) // 2, count_include_pad=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(x)


class Pooling(nn.Module):
    """PoolFormer's token mixer: the mean of each window minus its centre; shapes stay.

    MetaFormer (Yu et al., 2022, https://arxiv.org/abs/2111.11418); the input is taken off because the mixer stands
    in a residual.
    """

    kind = "pool"
    keeps_zero = True

    def __init__(self, channels: int, kernel: int = 3):
        super().__init__()
        self.pool = nn.AvgPool2d(kernel, 1, kernel // 2, count_include_pad=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(x) - x
