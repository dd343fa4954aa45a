"""From a map of features to class scores, through a GELU and a norm."""

from torch import Tensor, nn
from torch.nn import functional


class GELUClassifier(nn.Module):
    """The mean over all positions, then an MLP: (batch, channels, height, width) -> (batch, classes).

    The MLP is linear to `ratio` times the channels, GELU, layer norm, linear; with biases.
    InceptionNeXt (Yu et al., 2024, https://arxiv.org/abs/2303.16900).
    """

    kind = "head"

    def __init__(self, channels: int, classes: int, ratio: float = 3):
        super().__init__()
        hidden = int(channels * ratio)
        self.up = nn.Linear(channels, hidden)
        self.norm = nn.LayerNorm(hidden, eps=1e-6)
        self.linear = nn.Linear(hidden, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.norm(functional.gelu(self.up(x.mean((2, 3))))))
