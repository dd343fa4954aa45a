"""The blocks of mobile networks: depthwise convolutions between pointwise ones, with squeeze-and-excitation."""

from typing import Literal

import torch
from torch import Tensor, nn

Activation = Literal["relu", "relu6", "hard_swish"]
Gate = Literal["sigmoid", "hard_sigmoid"]
ACTIVATIONS = {"relu": nn.ReLU, "relu6": nn.ReLU6, "hard_swish": nn.Hardswish}


def rounded(width: float, divisor: int = 8) -> int:
    """The nearest multiple of `divisor`, at least that and no less than nine tenths of `width`: MobileNet's rule."""
    nearest = max(divisor, int(width + divisor / 2) // divisor * divisor)
    return nearest + divisor if nearest < 0.9 * width else nearest


class ConvNormActivation(nn.Module):
    """Convolution, batch norm, activation: (batch, channels, height, width) -> (batch, width, height, width).

    `stride` divides height and width, rounded up.
    """

    kind = "conv"

    def __init__(
        self, channels: int, width: int, kernel: int = 1, stride: int = 1, activation: Activation = "hard_swish"
    ):
        super().__init__()
        self.conv = nn.Conv2d(channels, width, kernel, stride, kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.activation = ACTIVATIONS[activation]()

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.norm(self.conv(x)))


class SqueezeExcite(nn.Module):
    """Each channel times a gate computed from the means of all of them; shapes stay.

    The means are squeezed to `ratio` times the channels, ReLU, and expanded again. A "sigmoid" gate rounds their
    number to the nearest (MnasNet), a "hard_sigmoid" one to a multiple of 8 (MobileNetV3).
    Squeeze-and-excitation (Hu et al., 2018, https://arxiv.org/abs/1709.01507).
    """

    keeps_zero = True

    def __init__(self, channels: int, ratio: float = 0.25, gate: Gate = "sigmoid"):
        super().__init__()
        squeezed = rounded(channels * ratio) if gate == "hard_sigmoid" else max(1, round(channels * ratio))
        self.reduce = nn.Conv2d(channels, squeezed, 1)
        self.expand = nn.Conv2d(squeezed, channels, 1)
        self.gate = nn.Hardsigmoid() if gate == "hard_sigmoid" else nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        means = x.mean((2, 3), keepdim=True)
        return x * self.gate(self.expand(torch.relu(self.reduce(means))))


class DepthwiseConv(nn.Module):
    """Depthwise convolution, pointwise convolution: (batch, channels, height, width) -> (batch, width, height, width).

    Depthwise with the stride (height and width are rounded up), norm, activation; squeeze-and-excitation where
    `squeeze`, its share of the channels, is not 0; pointwise, norm. `squeeze` changes which parameters there are:
    choose between layers with and without, not between its values.
    MobileNet (Howard et al., 2017, https://arxiv.org/abs/1704.04861), linear at the end as in MobileNetV2 (Sandler et
    al., 2018, https://arxiv.org/abs/1801.04381).
    """

    kind = "conv"

    def __init__(
        self,
        channels: int,
        width: int,
        kernel: int = 3,
        stride: int = 1,
        squeeze: float = 0.0,
        activation: Activation = "relu",
        gate: Gate = "sigmoid",
    ):
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, kernel, stride, kernel // 2, groups=channels, bias=False)
        self.depthwise_norm = nn.BatchNorm2d(channels)
        self.activation = ACTIVATIONS[activation]()
        self.squeeze = SqueezeExcite(channels, squeeze, gate) if squeeze else nn.Identity()
        self.down = nn.Conv2d(channels, width, 1, bias=False)
        self.down_norm = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        x = self.squeeze(self.activation(self.depthwise_norm(self.depthwise(x))))
        return self.down_norm(self.down(x))


class MBConv(DepthwiseConv):
    """The inverted residual block without its shortcut, which a space adds where shapes allow; shapes as DepthwiseConv.

    Pointwise to `expand` times the channels (a multiple of 8), norm, activation; then as DepthwiseConv, `squeeze`
    being a share of the expanded channels. MobileNetV2 (Sandler et al., 2018, https://arxiv.org/abs/1801.04381), with
    squeeze-and-excitation in MnasNet (Tan et al., 2019, https://arxiv.org/abs/1807.11626) and MobileNetV3 (Howard et
    al., 2019, https://arxiv.org/abs/1905.02244).
    """

    def __init__(
        self,
        channels: int,
        width: int,
        expand: float = 6,
        kernel: int = 3,
        stride: int = 1,
        squeeze: float = 0.0,
        activation: Activation = "relu",
        gate: Gate = "sigmoid",
    ):
        hidden = rounded(channels * expand)
        super().__init__(hidden, width, kernel, stride, squeeze, activation, gate)
        self.up = nn.Conv2d(channels, hidden, 1, bias=False)
        self.up_norm = nn.BatchNorm2d(hidden)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(self.activation(self.up_norm(self.up(x))))


class PointwiseInTwo(nn.Module):
    """A pointwise convolution in two groups, of the even and of the odd channels; `width` channels come out.

    The two outputs alternate, `together` channels of one after as many of the other. So it is cut to fewer channels
    like any other layer, which a convolution of the first and of the second half is not.
    Raises ValueError where `channels` or `width` cannot be shared out.
    """

    kind = "conv"
    keeps_zero = True

    def __init__(self, channels: int, width: int, together: int = 1):
        super().__init__()
        if channels % 2 or width % (2 * together):
            raise ValueError(
                f"PointwiseInTwo: {channels} channels came, to become {width}; two groups take an even number of "
                f"channels and make a multiple of {2 * together}, change either"
            )
        self.together = together
        self.even = nn.Conv2d(channels // 2, width // 2, 1, bias=False)
        self.odd = nn.Conv2d(channels // 2, width // 2, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        halves = self.even(x[:, 0::2]), self.odd(x[:, 1::2])
        parts = [half[:, place :: self.together] for half in halves for place in range(self.together)]
        return nn.functional.channel_shuffle(torch.cat(parts, 1), len(parts))


class GroupedMBConv(MBConv):
    """MBConv whose pointwise convolutions are in two groups, the expanded channels shuffled between them.

    FBNet (Wu et al., 2019, https://arxiv.org/abs/1812.03443), with ShuffleNet's shuffle (Zhang et al., 2018,
    https://arxiv.org/abs/1707.01083). Departure: the groups are the even and the odd channels, not the halves, which
    gives the same networks with channels in another order.
    """

    def __init__(
        self,
        channels: int,
        width: int,
        expand: float = 1,
        kernel: int = 3,
        stride: int = 1,
        activation: Activation = "relu",
    ):
        super().__init__(channels, width, expand, kernel, stride, activation=activation)
        hidden = self.up.out_channels
        self.up = PointwiseInTwo(channels, hidden, together=2)  # type: ignore[assignment]
        self.down = PointwiseInTwo(hidden, width)  # type: ignore[assignment]
