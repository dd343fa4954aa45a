"""MOAT's mixer: a mobile convolution, then attention to what it made of the neighbourhood."""

from torch import Tensor, nn
from torch.nn import functional

from nasengine.layers.vision_transformer import TokenNorm
from nasengine.layers.window_attention import SelfAttention


class MobileAttention(nn.Module):
    """An inverted residual without its norm, and self-attention to the sum of it and the input; shapes stay.

    mobile = inverted residual(x), mixed = attention(layer norm(x + mobile)); out comes mobile + mixed, to be added to
    the block's input. The inverted residual is pointwise to `expand` times the channels, depthwise, pointwise back,
    with batch norm and GELU between; heads have `head` channels, biases, and widths of their own (see SelfAttention).
    MOAT (Yang et al., 2023, https://arxiv.org/abs/2210.01820): mobile convolution and attention in place of attention
    and MLP, kernel 3, expand 4 and head 32.

    Departures: both steps begin from the one norm that stands before a mixer, and the shortcut of the first one passes
    that norm too; queries, keys and values have weights of their own; no relative positions; the convolution never
    halves the map, which is left to downsamplings.
    """

    kind = "attention"

    def __init__(self, channels: int, head: int = 32, expand: int = 4, kernel: int = 3):
        super().__init__()
        hidden = channels * expand
        self.up = nn.Conv2d(channels, hidden, 1, bias=False)
        self.up_norm = nn.BatchNorm2d(hidden)
        self.depthwise = nn.Conv2d(hidden, hidden, kernel, padding=kernel // 2, groups=hidden, bias=False)
        self.depthwise_norm = nn.BatchNorm2d(hidden)
        self.down = nn.Conv2d(hidden, channels, 1)
        self.norm = TokenNorm(channels)
        self.attention = SelfAttention(channels, head)

    def forward(self, x: Tensor) -> Tensor:
        mobile = functional.gelu(self.up_norm(self.up(x)))
        mobile = self.down(functional.gelu(self.depthwise_norm(self.depthwise(mobile))))
        return mobile + self.attention(self.norm(x + mobile))
