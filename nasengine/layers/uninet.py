"""UniNet's convolution blocks, each with its shortcut."""

from torch import Tensor, nn
from torch.nn import functional

from nasengine.layers.inverted_residual import SqueezeExcite


class UniNetSeparable(nn.Module):
    """Depthwise 3 x 3 convolution, squeeze-and-excitation, pointwise convolution, added to what came in.

    (batch, channels, height, width) -> (batch, width, height, width); `width` is that of the input unless given, and
    where it is another one, the shortcut is a pointwise convolution. A batch norm and a GELU follow the depthwise
    convolution, a batch norm that begins at 0 the last one. It is UniNetDepthwise with an expansion of 1 (Liu et al.,
    2022, https://arxiv.org/abs/2207.05420), which leaves the expanding convolution and its norms out.
    """

    kind = "conv"

    def __init__(self, channels: int, width: int | None = None):
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.depthwise_norm = nn.BatchNorm2d(channels)
        self.narrow = Narrow(channels, channels if width is None else width)
        self.shortcut = nn.Conv2d(channels, width, 1) if width not in (None, channels) else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x) + self.narrow(self.depthwise_norm(self.depthwise(x)))


class UniNetDepthwise(nn.Module):
    """UniNet's DWConv block: a depthwise convolution of `expansion` times the channels; shapes as in UniNetSeparable.

    Batch norm, pointwise convolution to the expanded channels, batch norm, GELU; then as in UniNetSeparable.
    UniNet (Liu et al., 2022, https://arxiv.org/abs/2207.05420), as in its published code.
    """

    kind = "conv"

    def __init__(self, channels: int, width: int | None = None, expansion: int = 4):
        super().__init__()
        hidden = channels * expansion
        self.norm = nn.BatchNorm2d(channels)
        self.up = nn.Conv2d(channels, hidden, 1, bias=False)
        self.up_norm = nn.BatchNorm2d(hidden)
        self.depthwise = nn.Conv2d(hidden, hidden, 3, padding=1, groups=hidden, bias=False)
        self.depthwise_norm = nn.BatchNorm2d(hidden)
        self.narrow = Narrow(hidden, channels if width is None else width)
        self.shortcut = nn.Conv2d(channels, width, 1) if width not in (None, channels) else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        expanded = functional.gelu(self.up_norm(self.up(self.norm(x))))
        return self.shortcut(x) + self.narrow(self.depthwise_norm(self.depthwise(expanded)))


class UniNetConv(nn.Module):
    """UniNet's Conv block: a full 3 x 3 convolution to `expansion` times the channels; shapes as in UniNetSeparable.

    UniNet (Liu et al., 2022, https://arxiv.org/abs/2207.05420) searches it, and its published code lacks it. It is
    UniNetDepthwise with the expanding and the depthwise convolution fused into one, as in EfficientNetV2 (Tan and Le,
    2021, https://arxiv.org/abs/2104.00298).
    """

    kind = "conv"

    def __init__(self, channels: int, width: int | None = None, expansion: int = 4):
        super().__init__()
        hidden = channels * expansion
        self.norm = nn.BatchNorm2d(channels)
        self.conv = nn.Conv2d(channels, hidden, 3, padding=1, bias=False)
        self.conv_norm = nn.BatchNorm2d(hidden)
        self.narrow = Narrow(hidden, channels if width is None else width)
        self.shortcut = nn.Conv2d(channels, width, 1) if width not in (None, channels) else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x) + self.narrow(self.conv_norm(self.conv(self.norm(x))))


class Narrow(nn.Module):
    """GELU, squeeze-and-excitation to a quarter, pointwise convolution to `width`, batch norm that begins at 0."""

    def __init__(self, channels: int, width: int):
        super().__init__()
        self.squeeze = SqueezeExcite(channels, 0.25, "hard_sigmoid")
        self.conv = nn.Conv2d(channels, width, 1)
        self.norm = nn.BatchNorm2d(width)
        nn.init.zeros_(self.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(self.squeeze(functional.gelu(x))))
