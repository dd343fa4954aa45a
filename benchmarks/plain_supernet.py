"""The yardstick: DARTS' and PR-DARTS' supernets as a plain loop over edges and operations, NCHW, all gradients kept.

This is the sequence of operations that the papers' own code and the libraries that followed it run (Liu et al., 2019,
https://arxiv.org/abs/1806.09055; Zhou et al., 2020, https://arxiv.org/abs/2006.16537). It shares nothing with the
engine, so that a ratio against it means something.
"""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

Gates = Sequence[Tensor]  # per cell kind (normal, reduce): (14 edges, 8 operations)
NORMS = {  # of each publication's search network: running statistics, after pools, before the classifier
    "darts": {"track": True, "pool_norm": True, "last_norm": False},
    "pr-darts": {"track": False, "pool_norm": False, "last_norm": True},
}


def _norm(width: int, track: bool) -> nn.Module:
    return nn.BatchNorm2d(width, affine=False, track_running_stats=track)


def _block(width: int, kernel: int, stride: int, dilation: int, track: bool) -> list[nn.Module]:
    padding = dilation * (kernel - 1) // 2
    depthwise = nn.Conv2d(width, width, kernel, stride, padding, dilation, groups=width, bias=False)
    return [nn.ReLU(), depthwise, nn.Conv2d(width, width, 1, bias=False), _norm(width, track)]


class _Zero(nn.Module):
    def __init__(self, stride: int):
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :, :: self.stride, :: self.stride] * 0.0


class _Halve(nn.Module):
    def __init__(self, channels: int, width: int, track: bool):
        super().__init__()
        self.left = nn.Conv2d(channels, width // 2, 1, 2, bias=False)
        self.right = nn.Conv2d(channels, width // 2, 1, 2, bias=False)
        self.norm = _norm(width, track)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(x)
        return self.norm(torch.cat([self.left(x), self.right(x[:, :, 1:, 1:])], dim=1))


def _operations(width: int, stride: int, track: bool, pool_norm: bool) -> nn.ModuleList:
    def pool(kind: nn.Module) -> nn.Module:
        return nn.Sequential(kind, _norm(width, track)) if pool_norm else kind

    return nn.ModuleList([
        _Zero(stride),
        pool(nn.MaxPool2d(3, stride, 1)),
        pool(nn.AvgPool2d(3, stride, 1, count_include_pad=False)),
        nn.Identity() if stride == 1 else _Halve(width, width, track),
        nn.Sequential(*_block(width, 3, stride, 1, track), *_block(width, 3, 1, 1, track)),
        nn.Sequential(*_block(width, 5, stride, 1, track), *_block(width, 5, 1, 1, track)),
        nn.Sequential(*_block(width, 3, stride, 2, track)),
        nn.Sequential(*_block(width, 5, stride, 2, track)),
    ])  # fmt: skip


def _enter(channels: int, width: int, track: bool) -> nn.Module:
    return nn.Sequential(nn.ReLU(), nn.Conv2d(channels, width, 1, bias=False), _norm(width, track))


class _Cell(nn.Module):
    def __init__(
        self, before: int, last: int, width: int, reduce: bool, halve_before: bool, track: bool, pool_norm: bool
    ):
        super().__init__()
        self.in0 = _Halve(before, width, track) if halve_before else _enter(before, width, track)
        self.in1 = _enter(last, width, track)
        strides = [2 if reduce and source < 2 else 1 for node in range(4) for source in range(2 + node)]
        self.edges = nn.ModuleList(_operations(width, stride, track, pool_norm) for stride in strides)

    def forward(self, x0: Tensor, x1: Tensor, gates: Tensor, on: Sequence[Sequence[bool]] | None) -> Tensor:
        states, edge = [self.in0(x0), self.in1(x1)], 0
        for _ in range(4):
            arriving = []
            for x in states:
                row = cast(nn.ModuleList, self.edges[edge])
                strengths = gates[edge].unbind() if on is None else gates[edge]
                wanted = range(len(row)) if on is None else [k for k, is_on in enumerate(on[edge]) if is_on]
                arriving.append(sum(strengths[k] * row[k](x) for k in wanted))
                edge += 1
            states.append(sum(arriving))
        return torch.cat(states[-4:], dim=1)


class PlainSupernet(nn.Module):
    """(batch, image channels, height, width) -> (batch, classes); `on` says which operations a sampled draw runs."""

    def __init__(
        self, channels: int, layers: int, image: int = 3, classes: int = 10, track: bool = True,
        pool_norm: bool = True, last_norm: bool = False,
    ):  # fmt: skip
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(image, 3 * channels, 3, padding=1, bias=False), nn.BatchNorm2d(3 * channels)
        )
        before = last = 3 * channels
        width, halved, cells = channels, False, []
        self.reduces = [i in (layers // 3, 2 * layers // 3) for i in range(layers)]
        for reduce in self.reduces:
            width *= 2 if reduce else 1
            cells.append(_Cell(before, last, width, reduce, halved, track, pool_norm))
            before, last, halved = last, 4 * width, reduce
        self.cells = nn.ModuleList(cells)
        self.last = nn.Sequential(nn.BatchNorm2d(last), nn.ReLU()) if last_norm else nn.Identity()
        self.head = nn.Linear(last, classes)

    def forward(self, x: Tensor, gates: Gates, on: Sequence[Sequence[Sequence[bool]]] | None = None) -> Tensor:
        x0 = x1 = self.stem(x)
        for cell, reduce in zip(self.cells, self.reduces, strict=True):
            x0, x1 = x1, cell(x0, x1, gates[reduce], None if on is None else on[reduce])
        pooled: Tensor = self.last(x1).mean((2, 3))
        return self.head(pooled)
