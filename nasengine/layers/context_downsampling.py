"""UniNet's downsampling modules: how a stage hands its map to the next one, which may be of another kind."""

from torch import Tensor, nn
from torch.nn import functional

from nasengine.layers.vision_transformer import TokenNorm
from nasengine.layers.window_attention import attend


class LocalDownsampling(nn.Module):
    """L-DSM: (batch, channels, height, width) -> (batch, width, height / stride, width / stride), rounded up.

    A depthwise 3 x 3 convolution with the stride, batch norm, pointwise convolution; added to a shortcut of max pooling
    (at a stride above 1) and a pointwise convolution. UniNet (Liu et al., 2022, https://arxiv.org/abs/2207.05420).
    """

    kind = "conv"

    def __init__(self, channels: int, width: int, stride: int = 2):
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 3, stride, 1, groups=channels)
        self.norm = nn.BatchNorm2d(channels)
        self.pointwise = nn.Conv2d(channels, width, 1)
        self.shortcut = Shortcut(channels, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x) + self.pointwise(self.norm(self.depthwise(x)))


class GlobalDownsampling(nn.Module):
    """G-DSM: each position of the smaller map attends to all of the larger one; shapes as in LocalDownsampling.

    Queries are every stride-th position after a batch norm and a pointwise convolution; keys and values come from all
    positions. Queries and input have a layer norm; there are `heads` heads of `head` channels. Added to the shortcut of
    LocalDownsampling. UniNet (Liu et al., 2022, https://arxiv.org/abs/2207.05420), whose published code lacks this
    module: it is LocalGlobalDownsampling without the local convolution before the queries. Departures as there.
    """

    kind = "attention"

    def __init__(self, channels: int, width: int, stride: int = 2, heads: int = 1, head: int = 32):
        super().__init__()
        inner = heads * head
        self.stride, self.head = stride, head
        self.norm = nn.BatchNorm2d(channels)
        self.query = nn.Conv2d(channels, inner, 1)
        self.query_norm = TokenNorm(inner)
        self.input_norm = TokenNorm(channels)
        self.key = nn.Conv2d(channels, inner, 1)
        self.value = nn.Conv2d(channels, inner, 1)
        self.out = nn.Conv2d(inner, width, 1)
        self.shortcut = Shortcut(channels, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        query = self.query_norm(self.query(self.norm(self.fewer(x))))
        everywhere = self.input_norm(x)
        return self.shortcut(x) + self.out(attend(query, self.key(everywhere), self.value(everywhere), self.head))

    def fewer(self, x: Tensor) -> Tensor:
        """The positions that ask."""
        return x[:, :, :: self.stride, :: self.stride]


class LocalGlobalDownsampling(GlobalDownsampling):
    """LG-DSM: as GlobalDownsampling, but a depthwise 3 x 3 convolution with the stride stands before the queries.

    UniNet (Liu et al., 2022, https://arxiv.org/abs/2207.05420), where heads have 32 channels and as many as make up
    `width`. Departures: keys and values have weights of their own; the heads may be more or fewer than `width` holds;
    maps need not be square.
    """

    def __init__(self, channels: int, width: int, stride: int = 2, heads: int = 1, head: int = 32):
        super().__init__(channels, width, stride, heads, head)
        self.depthwise = nn.Conv2d(channels, channels, 3, stride, 1, groups=channels)

    def fewer(self, x: Tensor) -> Tensor:
        """What the convolution makes of the positions that ask, and of those around them."""
        return self.depthwise(x)


class Shortcut(nn.Module):
    """Max pooling over 3 x 3 positions where the stride is above 1, then a pointwise convolution."""

    def __init__(self, channels: int, width: int, stride: int):
        super().__init__()
        self.stride = stride
        self.pointwise = nn.Conv2d(channels, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.pointwise(functional.max_pool2d(x, 3, self.stride, 1) if self.stride > 1 else x)
