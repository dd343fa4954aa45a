"""Images at another resolution, as a decision of the network."""

from collections.abc import Sequence
from functools import reduce

from torch import Tensor, nn
from torch.nn import functional


def strides_for(side: int, strides: Sequence[int], smallest: int) -> tuple[int, ...]:
    """The strides of a network for images of `side` pixels: ones instead of the first ones, where these are too many.

    As many are left out as are needed for the last maps to keep `smallest` pixels a side; each stride rounds up.
    """
    for left_out in range(len(strides)):
        kept = (1,) * left_out + tuple(strides[left_out:])
        if reduce(lambda pixels, stride: -(-pixels // stride), kept, side) >= smallest:
            return kept
    return (1,) * len(strides)


class Resize(nn.Module):
    """Bilinear to `size` by `size` pixels: (batch, channels, height, width) -> (batch, channels, size, size).

    Once-for-all (Cai et al., 2020, https://arxiv.org/abs/1908.09791) searches the resolution along with the network.
    Raises ValueError where `size` is less than 1.
    """

    keeps_zero = True

    def __init__(self, channels: int, size: int):
        super().__init__()
        if size < 1:
            raise ValueError(f"Resize: size={size} came; give 1 pixel or more")
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        return functional.interpolate(x, (self.size, self.size), mode="bilinear", align_corners=False)
