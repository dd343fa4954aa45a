"""Convolutions of a narrower map: pointwise to fewer channels, the convolution itself, pointwise back."""

import torch
from torch import Tensor, nn


class BottleneckConv(nn.Module):
    """A convolution between two pointwise ones: (batch, channels, height, width) -> (batch, width, height, width).

    Three times ReLU, convolution, norm: to `hidden` channels, the kernel with stride and dilation, to `width`.
    `stride` divides height and width, rounded up. AmoebaNet (Real et al., 2019, https://arxiv.org/abs/1802.01548), as
    in its published code.
    """

    kind = "conv"

    def __init__(self, channels: int, width: int, hidden: int, kernel: int = 3, stride: int = 1, dilation: int = 1):
        super().__init__()
        padding = dilation * (kernel - 1) // 2
        self.reduce = nn.Conv2d(channels, hidden, 1, bias=False)
        self.reduce_norm = nn.BatchNorm2d(hidden)
        self.conv = nn.Conv2d(hidden, hidden, kernel, stride, padding, dilation, bias=False)
        self.conv_norm = nn.BatchNorm2d(hidden)
        self.expand = nn.Conv2d(hidden, width, 1, bias=False)
        self.expand_norm = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        x = self.reduce_norm(self.reduce(torch.relu(x)))
        x = self.conv_norm(self.conv(torch.relu(x)))
        return self.expand_norm(self.expand(torch.relu(x)))


class FactorizedConv(nn.Module):
    """A row and then a column of a kernel between two pointwise convolutions; shapes as in BottleneckConv.

    Four times ReLU, convolution, norm: to `hidden` channels, 1 x kernel, kernel x 1, to `width`. The stride is that of
    the row in width and that of the column in height. AmoebaNet (Real et al., 2019,
    https://arxiv.org/abs/1802.01548), as in its published code.
    """

    kind = "conv"

    def __init__(self, channels: int, width: int, hidden: int, kernel: int = 7, stride: int = 1):
        super().__init__()
        padding = (kernel - 1) // 2
        self.reduce = nn.Conv2d(channels, hidden, 1, bias=False)
        self.reduce_norm = nn.BatchNorm2d(hidden)
        self.row = nn.Conv2d(hidden, hidden, (1, kernel), (1, stride), (0, padding), bias=False)
        self.row_norm = nn.BatchNorm2d(hidden)
        self.column = nn.Conv2d(hidden, hidden, (kernel, 1), (stride, 1), (padding, 0), bias=False)
        self.column_norm = nn.BatchNorm2d(hidden)
        self.expand = nn.Conv2d(hidden, width, 1, bias=False)
        self.expand_norm = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        x = self.reduce_norm(self.reduce(torch.relu(x)))
        x = self.row_norm(self.row(torch.relu(x)))
        x = self.column_norm(self.column(torch.relu(x)))
        return self.expand_norm(self.expand(torch.relu(x)))
