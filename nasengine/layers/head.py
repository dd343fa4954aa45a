"""From a map of features to class scores."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class Classifier(nn.Module):
    """The mean over all positions, then a linear layer: (batch, channels, height, width) -> (batch, classes).

    With `norm`, batch norm and ReLU come first, as in NAS-Bench-201 (https://arxiv.org/abs/2001.00326) and in the
    search networks of GDAS (https://arxiv.org/abs/1910.04465) and PR-DARTS (https://arxiv.org/abs/2006.16537).
    """

    kind = "head"

    def __init__(self, channels: int, classes: int, norm: bool = False):
        super().__init__()
        self.norm = nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU()) if norm else nn.Identity()
        self.linear = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.norm(x).mean((2, 3)))


class NormClassifier(nn.Module):
    """The mean over all positions, layer norm, a linear layer: (batch, channels, height, width) -> (batch, classes).

    MetaFormer (Yu et al., 2022, https://arxiv.org/abs/2210.13452): its identity, random and pooling models.
    """

    kind = "head"

    def __init__(self, channels: int, classes: int):
        super().__init__()
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.linear = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.norm(x.mean((2, 3))))


class MLPClassifier(nn.Module):
    """The mean over all positions, layer norm, an MLP: (batch, channels, height, width) -> (batch, classes).

    The MLP is linear to `ratio` times the channels, squared ReLU, layer norm, dropout, linear; with biases.
    MetaFormer (Yu et al., 2022, https://arxiv.org/abs/2210.13452): ConvFormer, CAFormer. The squared ReLU is Primer's
    (So et al., 2021, https://arxiv.org/abs/2109.08668).
    """

    kind = "head"

    def __init__(self, channels: int, classes: int, ratio: float = 4, dropout: float = 0.0):
        super().__init__()
        hidden = int(channels * ratio)
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.up = nn.Linear(channels, hidden)
        self.hidden_norm = nn.LayerNorm(hidden)
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(hidden, classes)

    def forward(self, x: Tensor) -> Tensor:
        hidden = torch.relu(self.up(self.norm(x.mean((2, 3))))).square()
        return self.linear(self.dropout(self.hidden_norm(hidden)))


class AuxiliaryHead(nn.Module):
    """DARTS' second classifier for the loss in training: (batch, channels, height, width) -> (batch, classes).

    ReLU; average pooling to 2 by 2, with windows of 5 where two overlapping or adjoining ones cover the map (8 by 8
    on CIFAR-10, 7 by 7 on ImageNet); pointwise convolution to 128, norm, ReLU; 2 by 2 convolution to 768, norm unless
    `last_norm` is off (the ImageNet head of DARTS lacks it), ReLU; linear.
    DARTS (Liu et al., 2019, https://arxiv.org/abs/1806.09055). Departure: maps of other sizes are pooled adaptively,
    where the original fails.
    """

    kind = "head"

    def __init__(self, channels: int, classes: int, last_norm: bool = True):
        super().__init__()
        self.squeeze = nn.Conv2d(channels, 128, 1, bias=False)
        self.squeeze_norm = nn.BatchNorm2d(128)
        self.expand = nn.Conv2d(128, 768, 2, bias=False)
        self.expand_norm = nn.BatchNorm2d(768) if last_norm else nn.Identity()
        self.linear = nn.Linear(768, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.squeeze_norm(self.squeeze(self.pooled(torch.relu(x)))))
        x = torch.relu(self.expand_norm(self.expand(x)))
        return self.linear(x.flatten(1))

    def pooled(self, x: Tensor) -> Tensor:
        """A 2 by 2 map."""
        height, width = x.shape[2:]
        if 6 <= height <= 10 and 6 <= width <= 10:
            return functional.avg_pool2d(x, 5, (height - 5, width - 5))
        return functional.adaptive_avg_pool2d(x, 2)
