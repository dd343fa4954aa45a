"""InceptionNeXt's mixer: most channels pass, a few go through depthwise convolutions of three shapes."""

import torch
from torch import Tensor, nn


class InceptionDepthwise(nn.Module):
    """A 3 x 3, a 1 x kernel and a kernel x 1 depthwise convolution of a share of the channels each; shapes stay.

    Each convolution has a bias and gets one of every `parts` channels; all others pass as they are.
    InceptionNeXt (Yu et al., 2024, https://arxiv.org/abs/2303.16900): kernel 11 and a ratio of 1/8, that is 8 parts;
    its smallest model has 9 and 1/4.

    Departure: the channels are dealt in turn (of every `parts` the last three go to the square, the row and the
    column), where the original takes three blocks at the end, so that the leading channels of a wide layer are a narrow
    one. It is the same layer with its channels in another order.
    Raises ValueError where `parts` is less than 3, or more than the channels.
    """

    kind = "conv"

    def __init__(self, channels: int, kernel: int = 11, parts: int = 8):
        super().__init__()
        if not 3 <= parts <= channels:
            raise ValueError(f"InceptionDepthwise: parts={parts} came for {channels} channels; give 3 to {channels}")
        group, side = channels // parts, kernel // 2
        self.group, self.parts = group, parts
        self.square = nn.Conv2d(group, group, 3, padding=1, groups=group)
        self.row = nn.Conv2d(group, group, (1, kernel), padding=(0, side), groups=group)
        self.column = nn.Conv2d(group, group, (kernel, 1), padding=(side, 0), groups=group)

    def forward(self, x: Tensor) -> Tensor:
        dealt = self.group * self.parts
        sorted_by_part = nn.functional.channel_shuffle(x[:, :dealt], self.group)
        *passed, square, row, column = sorted_by_part.split(self.group, 1)
        parts = (*passed, self.square(square), self.row(row), self.column(column))
        mixed = nn.functional.channel_shuffle(torch.cat(parts, 1), self.parts)
        return mixed if dealt == x.shape[1] else torch.cat((mixed, x[:, dealt:]), 1)
