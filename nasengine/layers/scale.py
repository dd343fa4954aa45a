"""Learned factors, one for each channel."""

import torch
from torch import Tensor, nn


class LayerScale(nn.Module):
    """Each channel times a learned factor that begins at `start`; stands at the end of a branch. Shapes stay.

    CaiT (Touvron et al., 2021, https://arxiv.org/abs/2103.17239); PoolFormer (Yu et al., 2022,
    https://arxiv.org/abs/2111.11418) starts from 1e-5, and from 1e-6 in its models of 36 and more blocks.
    """

    kind = "norm"
    keeps_zero = True

    def __init__(self, channels: int, start: float = 1e-5):
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), start))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight.view(-1, 1, 1)


class ResScale(LayerScale):
    """Each channel times a learned factor that begins at 1; stands on the shortcut of a residual. Shapes stay.

    NormFormer (Shleifer et al., 2021, https://arxiv.org/abs/2110.09456), as in MetaFormer (Yu et al., 2022,
    https://arxiv.org/abs/2210.13452), which has it in its last two stages.
    """

    def __init__(self, channels: int):
        super().__init__(channels, start=1.0)
