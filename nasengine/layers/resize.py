"""Images at another resolution, as a decision of the network."""

from torch import Tensor, nn
from torch.nn import functional


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
