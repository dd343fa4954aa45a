"""How MetaFormers make maps smaller."""

from typing import Literal

from torch import Tensor, nn

from nasengine.layers.norm import ChannelNorm


class Downsampling(nn.Module):
    """A convolution with stride and bias: (batch, channels, height, width) -> (batch, width, smaller, smaller).

    A side becomes (side + 2 padding - kernel) // stride + 1. `norm` says where a layer norm over the channels,
    without bias, stands: "before" the convolution, "after" it, or "none".
    MetaFormer (Yu et al., 2022, https://arxiv.org/abs/2210.13452): the stem has kernel 7, stride 4, padding 2 and the
    norm after it, each later stage begins with these defaults; PoolFormer (https://arxiv.org/abs/2111.11418) has the
    same without norms.
    """

    kind = "conv"

    def __init__(
        self,
        channels: int,
        width: int,
        kernel: int = 3,
        stride: int = 2,
        padding: int = 1,
        norm: Literal["before", "after", "none"] = "before",
    ):
        super().__init__()
        self.before = ChannelNorm(channels) if norm == "before" else nn.Identity()
        self.conv = nn.Conv2d(channels, width, kernel, stride, padding)
        self.after = ChannelNorm(width) if norm == "after" else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.after(self.conv(self.before(x)))
