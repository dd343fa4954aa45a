"""Activations as layers of their own."""

import torch
from torch import Tensor, nn


class ReLU(nn.Module):
    """What is positive, and zero for the rest; any shape in, the same out."""

    keeps_zero = True

    def __init__(self, channels: int):
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x)


class GELU(nn.Module):
    """The input times the normal distribution's share below it; any shape in, the same out.

    Gaussian error linear units (Hendrycks and Gimpel, 2016, https://arxiv.org/abs/1606.08415).
    """

    keeps_zero = True

    def __init__(self, channels: int):
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.gelu(x)


class StarReLU(nn.Module):
    """The squared ReLU with a learned scale and bias: scale * relu(x)^2 + bias, any shape in, the same out.

    MetaFormer (Yu et al., 2022, https://arxiv.org/abs/2210.13452). Its text gives a scale of 2 / sqrt(5) = 0.8944 and
    a bias of -1 / sqrt(5) = -0.4472, by which a unit Gaussian keeps mean 0 and variance 1; its code, which trained the
    published networks, starts from the 1 and 0 that are the defaults here.
    """

    def __init__(self, channels: int, scale: float = 1.0, bias: float = 0.0):
        super().__init__()
        self.scale = nn.Parameter(torch.full((1,), float(scale)))
        self.bias = nn.Parameter(torch.full((1,), float(bias)))

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * torch.relu(x).square() + self.bias
