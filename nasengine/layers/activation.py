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


class StarReLU(nn.Module):
    """The squared ReLU with a learned scale and bias: scale * relu(x)^2 + bias, any shape in, the same out.

    MetaFormer (Yu et al., 2022, https://arxiv.org/abs/2210.13452), which starts from scale 1 and bias 0.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * torch.relu(x).square() + self.bias
