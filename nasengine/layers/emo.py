"""EMO's inverted residual mobile block, with and without attention, and its stem."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from nasengine.layers.window_attention import attend

Expanding = Literal["silu", "gelu"]
EXPANDING = {"silu": nn.SiLU, "gelu": nn.GELU}


class EMOConv(nn.Module):
    """EMO's block without attention, norm and outer shortcut: (batch, channels, height, width) -> (batch, width, …).

    Pointwise with bias to `expand` times the channels, `activation`; depthwise, batch norm, SiLU, around which there is
    a shortcut where `stride` is 1; pointwise to `width` (as many channels as came, unless given). `stride` divides
    height and width, rounded up. EMO (Zhang et al., 2023, https://arxiv.org/abs/2301.01146), whose block has a norm
    before this and a shortcut around both.
    """

    kind = "conv"

    def __init__(
        self,
        channels: int,
        width: int | None = None,
        expand: float = 4,
        kernel: int = 3,
        stride: int = 1,
        activation: Expanding = "gelu",
    ):
        super().__init__()
        hidden = int(channels * expand)
        self.stride = stride
        self.up = nn.Conv2d(channels, hidden, 1)
        self.activation = EXPANDING[activation]()
        self.depthwise = nn.Conv2d(hidden, hidden, kernel, stride, kernel // 2, groups=hidden, bias=False)
        self.norm = nn.BatchNorm2d(hidden, eps=1e-6)
        self.down = nn.Conv2d(hidden, width or channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.activation(self.up(x))
        local = functional.silu(self.norm(self.depthwise(x)))
        return self.down(x + local if self.stride == 1 else local)


class EMOAttention(EMOConv):
    """EMOConv of what attention makes of its input, in windows that are spread over the whole map; width and size stay.

    The map is dealt to as few windows of at most `window` by `window` positions as possible, neighbours to different
    ones. Heads of `head` channels weigh the input itself, before it is expanded: there are no values of their own.
    EMO (Zhang et al., 2023, https://arxiv.org/abs/2301.01146), where a window is 7 by 7.

    Departures: queries and keys have weights of their own; where windows reach over the map's edge, nothing is there to
    attend to, and all are of one size (the original pads with zeros that are attended to).
    Raises ValueError where `head` does not divide the channels.
    """

    kind = "attention"

    def __init__(
        self,
        channels: int,
        expand: float = 4,
        kernel: int = 3,
        activation: Expanding = "gelu",
        head: int = 16,
        window: int = 7,
    ):
        super().__init__(channels, None, expand, kernel, 1, activation)
        if channels % head:
            raise ValueError(f"EMOAttention: {channels} channels came; heads of {head} must divide them, change either")
        self.head, self.window = head, window
        self.query = nn.Conv2d(channels, channels, 1)
        self.key = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        rows, columns = (-(-side // self.window) for side in x.shape[2:])
        height, width = -(-x.shape[2] // rows), -(-x.shape[3] // columns)
        edge = (0, columns * width - x.shape[3], 0, rows * height - x.shape[2])
        parts, mask = [self.query(x), self.key(x), x], None
        if any(edge):
            there = functional.pad(torch.ones_like(x[:, :1]), edge)
            mask = spread_windows(there, rows, columns).flatten(2).unsqueeze(2) > 0
            parts = [functional.pad(part, edge) for part in parts]
        query, key, value = (spread_windows(part, rows, columns) for part in parts)
        mixed = attend(query, key, value, self.head, mask)
        mixed = mixed.unflatten(0, (x.shape[0], rows, columns)).permute(0, 3, 4, 1, 5, 2).flatten(4, 5).flatten(2, 3)
        return super().forward(mixed[:, :, : x.shape[2], : x.shape[3]])


def spread_windows(x: Tensor, rows: int, columns: int) -> Tensor:
    """(batch, channels, height * rows, width * columns) -> (batch * rows * columns, channels, height, width).

    A window has every `rows`-th row and every `columns`-th column.
    """
    cut = x.unflatten(3, (-1, columns)).unflatten(2, (-1, rows))
    return cut.permute(0, 3, 5, 1, 2, 4).flatten(0, 2)


class EMOStem(nn.Module):
    """EMO's first layers: (batch, channels, height, width) -> (batch, width, height / 2, width / 2), rounded up.

    Convolution of 3 by 3 with bias and `stride`, batch norm; depthwise 3 by 3, batch norm, SiLU; squeeze-and-excitation
    that squeezes nothing; pointwise. EMO (Zhang et al., 2023, https://arxiv.org/abs/2301.01146), where width is 24.
    """

    kind = "conv"

    def __init__(self, channels: int, width: int = 24, stride: int = 2):
        super().__init__()
        self.conv = nn.Conv2d(channels, width, 3, stride, 1)
        self.conv_norm = nn.BatchNorm2d(width, eps=1e-6)
        self.depthwise = nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False)
        self.norm = nn.BatchNorm2d(width, eps=1e-6)
        self.reduce = nn.Conv2d(width, width, 1)
        self.excite = nn.Conv2d(width, width, 1)
        self.down = nn.Conv2d(width, width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.silu(self.norm(self.depthwise(self.conv_norm(self.conv(x)))))
        means = functional.silu(self.reduce(x.mean((2, 3), keepdim=True)))
        return self.down(x * torch.sigmoid(self.excite(means)))
