"""Layers that pass their input on, or drop it."""

import torch
from torch import Tensor, nn


class Identity(nn.Module):
    """The input as it came."""

    kind = "skip"
    identity = True
    keeps_zero = True

    def __init__(self, channels: int):
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        return x


class Zero(nn.Module):
    """Zeros: the channels stay, stride divides height and width, rounded up. DARTS' and NAS-Bench-201's `none`."""

    kind = "zero"
    zero = True
    keeps_zero = True

    def __init__(self, channels: int, stride: int = 1):
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        return torch.zeros_like(x[:, :, :: self.stride, :: self.stride])


class Truncate(nn.Module):
    """The first `width` of the channels: (batch, channels, height, width) -> (batch, `width`, height, width).

    Raises ValueError where fewer arrive. NAS-Bench-101 (Ying et al., 2019, https://arxiv.org/abs/1902.09635).
    """

    kind = "skip"
    keeps_zero = True
    leading_only = "it keeps the first channels, whichever arrive"

    def __init__(self, channels: int, width: int):
        super().__init__()
        if width > channels:
            raise ValueError(f"Truncate: width came as {width}; {channels} channels arrive, give no more")
        self.width = width

    def forward(self, x: Tensor) -> Tensor:
        return x[:, : self.width]


class DropPath(nn.Module):
    """In training drops whole samples at `rate` and scales up those kept; the identity at evaluation. Shapes stay.

    FractalNet (Larsson et al., 2017, https://arxiv.org/abs/1605.07648); per sample as in DARTS.
    """

    kind = "skip"
    training_only = True
    keeps_zero = True

    def __init__(self, channels: int, rate: float = 0.0):
        super().__init__()
        self.rate = rate

    def set_drop_rate(self, rate: float) -> None:
        """Set the share of samples to drop, which the training's schedule raises from epoch to epoch."""
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.rate == 0.0:
            return x
        kept = 1.0 - self.rate
        return x * torch.empty((x.shape[0], 1, 1, 1), dtype=x.dtype, device=x.device).bernoulli_(kept).div_(kept)


class ScheduledDropPath(DropPath):
    """DropPath at `share` of the rate that the training's schedule sets, so that deep cells drop more.

    NASNet (Zoph et al., 2018, https://arxiv.org/abs/1707.07012), where the share is the cell's number by the number
    of cells.
    """

    def __init__(self, channels: int, share: float = 1.0):
        super().__init__(channels)
        self.share = share

    def set_drop_rate(self, rate: float) -> None:
        """Set the rate of a layer at the very end of the network; this one's is its share of it."""
        super().set_drop_rate(rate * self.share)
