"""What may be cut out of a larger layer, and what may not."""

import pytest
import torch
from torch import Tensor, nn

from nasengine import plugins
from nasengine.interpreters.slicing import TRAILING, Window, cyclic
from nasengine.layers import (
    MLP,
    Attention,
    BatchNorm,
    ConvNorm,
    DilatedConv,
    FactorizedReduce,
    InceptionMixer,
    MaxPool,
    Norm,
    SeparableConv,
    SepConv,
)
from nasengine.space import Space, chain, choose, op
from nasengine.testing.slicing import Sized, slicing_fault, space_slicing_faults


class FusedAttention(nn.Module):
    """Queries, keys and values from one convolution, as in ViT: a third of a slice is no slice of a third."""

    def __init__(self, channels: int, head: int = 8):
        super().__init__()
        self.head = head
        self.qkv = nn.Conv2d(channels, 3 * channels, 1, bias=False)
        self.out = nn.Conv2d(channels, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (t.reshape(len(x), -1, self.head, x[0, 0].numel()).transpose(2, 3) for t in self.qkv(x).chunk(3, 1))
        return self.out(nn.functional.scaled_dot_product_attention(q, k, v).transpose(2, 3).reshape(x.shape))


class Grouped(nn.Module):
    """A grouped convolution with a fixed number of groups, whose width then follows the channels."""

    def __init__(self, channels: int, groups: int = 4):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


class FixedGroups(nn.Module):
    """A grouped convolution with groups of 8 channels, as many as there are."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, groups=channels // 8)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


class NormInside(nn.Module):
    """A norm over all hidden channels, between two convolutions."""

    def __init__(self, channels: int, width: int):
        super().__init__()
        self.up, self.norm, self.down = nn.Conv2d(channels, width, 1), nn.GroupNorm(1, width), nn.Conv2d(width, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(torch.relu(self.norm(self.up(x))))


class Blur(nn.Module):
    """A fixed filter of ones, each divided by how many there are: another one at each size."""

    def __init__(self, channels: int, kernel: int = 3):
        super().__init__()
        self.padding = kernel // 2
        self.register_buffer("filter", torch.full((channels, 1, kernel, kernel), 1 / kernel**2))

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.conv2d(x, self.filter, padding=self.padding, groups=x.shape[1])  # type: ignore[arg-type]


def sized(channels: int, **settings: object) -> Sized:
    return Sized(((channels, 8, 8),), settings)


@pytest.mark.parametrize(
    ("layer", "small", "full"),
    [
        (ConvNorm, sized(16, width=16, kernel=3), sized(16, width=24, kernel=3)),
        (ConvNorm, sized(16, width=16, kernel=3, stride=2), sized(24, width=16, kernel=3, stride=2)),
        (SepConv, sized(16, kernel=3), sized(16, kernel=7)),
        (SepConv, sized(16, expand=2), sized(16, expand=3)),
        (MLP, sized(32, ratio=2), sized(48, ratio=2)),
        (MLP, sized(32, ratio=2), sized(32, ratio=3)),
        (Attention, sized(32, head=16), sized(48, head=16)),
        (DilatedConv, sized(16, kernel=3, stride=2), sized(24, kernel=3, stride=2)),
        (SeparableConv, sized(16, kernel=3), sized(16, kernel=5)),
        (FactorizedReduce, sized(16, width=16), sized(16, width=24)),
        (BatchNorm, sized(16), sized(24)),
        (Norm, sized(32), sized(48)),
        (NormInside, sized(16, width=32), sized(16, width=48)),
        (NormInside, sized(16, width=32), sized(24, width=32)),
        (FixedGroups, sized(16), sized(24)),
        (Grouped, sized(16, groups=16), sized(16, groups=16)),
        # the same weights with another meaning: nothing is cut
        (ConvNorm, sized(16, width=16, kernel=3, stride=1), sized(16, width=16, kernel=3, stride=2)),
        (Attention, sized(32, head=8), sized(32, head=16)),
        (MaxPool, sized(16, kernel=3), sized(16, kernel=5)),
    ],
)
def test_what_can_be_cut(layer: type, small: Sized, full: Sized) -> None:
    assert slicing_fault(layer, small, full) == ""


@pytest.mark.parametrize(
    ("layer", "small", "full", "words"),
    [
        (FusedAttention, sized(16), sized(32), "16 and 32 channels arriving"),
        (FusedAttention, sized(32), sized(48), "32 and 48 channels arriving"),
        (Grouped, sized(16), sized(32), "Grouped with 16 and 32 channels arriving"),
        (Grouped, sized(16, groups=4), sized(16, groups=2), "groups 4 and 2"),
        (Grouped, sized(16, groups=1), sized(16, groups=4), "groups 4 and 1"),
        (Blur, sized(16, kernel=3), sized(16, kernel=5), "the buffer filter holds other numbers"),
    ],
)
def test_what_cannot_be_cut_is_told(layer: type, small: Sized, full: Sized, words: str) -> None:
    assert words in slicing_fault(layer, small, full)


def test_the_decision_and_the_place_are_named() -> None:
    width = choose("width", 16, 32)
    net = chain(stem=op(ConvNorm, width=width), mixer=op(FusedAttention), last=op(Grouped, groups=choose("g", 1, 2)))
    faults = list(space_slicing_faults(Space("bad", (3, 8, 8), net)))
    assert any(fault.startswith("decision 'stem.width', at mixer: FusedAttention") for fault in faults)
    assert any(fault.startswith("decision 'last.g', at last: Grouped") for fault in faults)
    assert not any("at stem" in fault for fault in faults)


@pytest.mark.parametrize("window", [TRAILING, cyclic(0.4), cyclic(0.9)])
@pytest.mark.parametrize("name", ["metaformer", "mobile", "vit"])
def test_whole_spaces_can_be_cut_at_any_window(name: str, window: Window) -> None:
    space = plugins.load_space(name, {"input": (3, 32, 32), "classes": 10}).small()
    assert list(space_slicing_faults(space, window)) == []


def test_heads_at_the_start_allow_the_leading_channels_alone() -> None:
    settings = {"heads": 1, "head": 8}
    assert slicing_fault(InceptionMixer, sized(24, **settings), sized(32, **settings)) == ""
    assert "at the trailing channels" in slicing_fault(
        InceptionMixer, sized(24, **settings), sized(32, **settings), TRAILING
    )
