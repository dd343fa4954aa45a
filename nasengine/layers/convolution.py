"""Convolutions, each with its norm; all are without bias, and pad so that stride alone sets the size."""

import torch
from torch import Tensor, nn

from nasengine.layers.activation import StarReLU


class ConvNorm(nn.Module):
    """Convolution, batch norm: (batch, channels, height, width) -> (batch, width, height / stride, width / stride).

    `affine` and `track` are the norm's: a learned scale and shift, and running statistics for evaluation; without
    `track` it normalises by the batch even then.
    """

    kind = "conv"

    def __init__(
        self, channels: int, width: int, kernel: int = 1, stride: int = 1, affine: bool = True, track: bool = True
    ):
        super().__init__()
        self.conv = nn.Conv2d(channels, width, kernel, stride, (kernel - 1) // 2, bias=False)
        self.norm = nn.BatchNorm2d(width, affine=affine, track_running_stats=track)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


class ReLUConvNorm(ConvNorm):
    """ReLU, convolution, batch norm, the order of the DARTS and NAS-Bench-201 cells; shapes as in ConvNorm.

    DARTS (Liu et al., 2019, https://arxiv.org/abs/1806.09055).
    """

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(torch.relu(x)))


class ConvNormReLU(ConvNorm):
    """Convolution, batch norm, ReLU; shapes as in ConvNorm."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.norm(self.conv(x)))


class InvertedBottleneck(nn.Module):
    """MobileNet's block without its shortcut: (batch, channels, height, width) -> (batch, width, height, width).

    Pointwise to `expand` times the channels, norm, ReLU; depthwise, norm, ReLU; pointwise to `width`, norm. `stride`
    divides height and width.
    MobileNetV2 (Sandler et al., 2018, https://arxiv.org/abs/1801.04381). Departure: ReLU is not cut off at 6, as in
    NAS-Bench-Macro (Su et al., 2021, https://arxiv.org/abs/2103.11922).
    """

    kind = "conv"

    def __init__(self, channels: int, width: int, expand: int = 6, kernel: int = 3, stride: int = 1):
        super().__init__()
        hidden = channels * expand
        self.up = nn.Conv2d(channels, hidden, 1, bias=False)
        self.up_norm = nn.BatchNorm2d(hidden)
        self.depthwise = nn.Conv2d(hidden, hidden, kernel, stride, kernel // 2, groups=hidden, bias=False)
        self.depthwise_norm = nn.BatchNorm2d(hidden)
        self.down = nn.Conv2d(hidden, width, 1, bias=False)
        self.down_norm = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.up_norm(self.up(x)))
        x = torch.relu(self.depthwise_norm(self.depthwise(x)))
        return self.down_norm(self.down(x))


class DepthwiseSeparable(nn.Module):
    """ReLU, depthwise convolution, pointwise convolution, batch norm; the channels stay, stride divides the size.

    Xception (Chollet, 2017, https://arxiv.org/abs/1610.02357), in the order of DARTS.
    """

    kind = "conv"

    def __init__(
        self,
        channels: int,
        kernel: int = 3,
        stride: int = 1,
        dilation: int = 1,
        affine: bool = True,
        track: bool = True,
    ):
        super().__init__()
        padding = dilation * (kernel - 1) // 2
        self.depthwise = nn.Conv2d(
            channels, channels, kernel, stride, padding, dilation=dilation, groups=channels, bias=False
        )
        self.pointwise = nn.Conv2d(channels, channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels, affine=affine, track_running_stats=track)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.pointwise(self.depthwise(torch.relu(x))))


class DilatedConv(DepthwiseSeparable):
    """DARTS' `dil_conv`: one depthwise separable convolution with dilation 2; the channels stay.

    DARTS (Liu et al., 2019, https://arxiv.org/abs/1806.09055).
    """

    def __init__(
        self,
        channels: int,
        kernel: int = 3,
        stride: int = 1,
        dilation: int = 2,
        affine: bool = True,
        track: bool = True,
    ):
        super().__init__(channels, kernel, stride, dilation, affine, track)


class SeparableConv(nn.Module):
    """DARTS' `sep_conv`: a depthwise separable convolution applied twice, the first with the stride; the channels stay.

    DARTS (Liu et al., 2019, https://arxiv.org/abs/1806.09055).
    """

    kind = "conv"

    def __init__(self, channels: int, kernel: int = 3, stride: int = 1, affine: bool = True, track: bool = True):
        super().__init__()
        self.first = DepthwiseSeparable(channels, kernel, stride, affine=affine, track=track)
        self.second = DepthwiseSeparable(channels, kernel, affine=affine, track=track)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.first(x))


class SepConv(nn.Module):
    """MetaFormer's convolution mixer, an inverted separable convolution; shapes stay.

    Pointwise to `expand` times the channels, StarReLU, depthwise, pointwise back; no biases, no norm.
    MetaFormer (Yu et al., 2022, https://arxiv.org/abs/2210.13452), where kernel is 7 and expand is 2.
    """

    kind = "conv"

    def __init__(self, channels: int, kernel: int = 7, expand: int = 2):
        super().__init__()
        hidden = channels * expand
        self.up = nn.Conv2d(channels, hidden, 1, bias=False)
        self.activation = StarReLU(hidden)
        self.depthwise = nn.Conv2d(hidden, hidden, kernel, padding=kernel // 2, groups=hidden, bias=False)
        self.down = nn.Conv2d(hidden, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(self.depthwise(self.activation(self.up(x))))
