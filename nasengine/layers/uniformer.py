"""UniFormer's local mixer: what attention would do to near positions, as a convolution."""

from torch import Tensor, nn


class LocalRelation(nn.Module):
    """A depthwise convolution between two pointwise ones, all with biases and nothing between them; shapes stay.

    The token mixer of UniFormer's local blocks (Li et al., 2022, https://arxiv.org/abs/2201.09450), where kernel is 5.
    Those blocks are PositionConv, BatchNorm and this in a residual, BatchNorm and FeedForward in a residual; the global
    blocks have TokenNorm and SelfAttention with heads of 64 instead.
    """

    kind = "conv"

    def __init__(self, channels: int, kernel: int = 5):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 1)
        self.depthwise = nn.Conv2d(channels, channels, kernel, padding=kernel // 2, groups=channels)
        self.last = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.depthwise(self.first(x)))
