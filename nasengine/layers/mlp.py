"""Layers that mix the channels of each position."""

from torch import Tensor, nn

from nasengine.layers.activation import StarReLU


class MLP(nn.Module):
    """Pointwise to `ratio` times the channels, StarReLU, pointwise back, no biases; shapes stay.

    MetaFormer (Yu et al., 2022, https://arxiv.org/abs/2210.13452).
    """

    kind = "mlp"

    def __init__(self, channels: int, ratio: float = 4):
        super().__init__()
        hidden = int(channels * ratio)
        self.up = nn.Conv2d(channels, hidden, 1, bias=False)
        self.activation = StarReLU(hidden)
        self.down = nn.Conv2d(hidden, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(self.activation(self.up(x)))


class Expand(nn.Conv2d):
    """Pointwise to `ratio` times the channels: an MLP's first half, to be followed by an activation of one's choice."""

    kind = "mlp"

    def __init__(self, channels: int, ratio: float = 4, bias: bool = False):
        super().__init__(channels, int(channels * ratio), 1, bias=bias)


class Pointwise(nn.Conv2d):
    """Each position by itself, linear: (batch, channels, height, width) -> (batch, width, height, width)."""

    kind = "mlp"

    def __init__(self, channels: int, width: int, bias: bool = False):
        super().__init__(channels, width, 1, bias=bias)
