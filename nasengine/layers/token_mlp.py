"""MLP-Mixer's token mixer: an MLP over positions, the same for every channel."""

from torch import Tensor, nn
from torch.nn import functional


class TokenMLP(nn.Module):
    """Linear from all positions of a map of `size` (height, width) to `hidden`, GELU, linear back; shapes stay.

    MLP-Mixer (Tolstikhin et al., 2021, https://arxiv.org/abs/2105.01601), where hidden is half the width.
    Departure: maps of another size are brought to `size` and back bilinearly, where the original fails.
    """

    kind = "mlp"

    def __init__(self, channels: int, size: tuple[int, int], hidden: int):
        super().__init__()
        self.size = tuple(size)
        self.up = nn.Linear(size[0] * size[1], hidden)
        self.down = nn.Linear(hidden, size[0] * size[1])

    def forward(self, x: Tensor) -> Tensor:
        came = tuple(x.shape[2:])
        if came != self.size:
            x = functional.interpolate(x, self.size, mode="bilinear", align_corners=False)
        mixed = self.down(functional.gelu(self.up(x.flatten(2)))).unflatten(2, self.size)
        if came != self.size:
            mixed = functional.interpolate(mixed, came, mode="bilinear", align_corners=False)
        return mixed
