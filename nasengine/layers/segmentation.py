"""From coarse maps back to pixels."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional


class UpsampleTo(nn.Module):
    """A map at the height and width of another: (batch, channels, …) and (batch, any, height, width) -> the first, so.

    It reads two maps and gives the first; of the second only the size counts. `mode` is "bilinear" or "nearest". As
    features are brought back to a finer map in FPN (Lin et al., 2017, https://arxiv.org/abs/1612.03144).
    Raises ValueError for another mode.
    """

    kind = "resize"
    keeps_zero = True

    def __init__(self, channels: Sequence[int], mode: str = "bilinear"):
        super().__init__()
        if mode not in ("bilinear", "nearest"):
            raise ValueError(f"UpsampleTo: mode={mode!r} came; give bilinear or nearest")
        self.mode = mode

    def forward(self, x: Tensor, like: Tensor) -> Tensor:
        return functional.interpolate(x, like.shape[2:], mode=self.mode)


class PixelClassifier(nn.Module):
    """Class scores for every pixel: (batch, channels, height, width) -> (batch, classes, height, width).

    Batch norm, ReLU and a pointwise convolution, as fully convolutional networks end (Long et al., 2015,
    https://arxiv.org/abs/1411.4038).
    """

    kind = "head"

    def __init__(self, channels: int, classes: int):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.score = nn.Conv2d(channels, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.score(self.norm(x).relu())
