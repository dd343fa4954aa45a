"""iFormer's mixer: attention for the low frequencies, convolution and pooling for the high ones, side by side."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class InceptionMixer(nn.Module):
    """Attention of some channels beside convolution and max pooling of the rest, mixed at the end; shapes stay.

    Low frequencies: the first `heads` times `head` channels attend to each other's positions, on a map averaged over
    `pool` by `pool` pixels and brought back to its size by repetition.
    High frequencies: half of the other channels pass a pointwise convolution to twice their number and a depthwise one,
    half of them max pooling and a pointwise convolution to twice their number, each with a GELU.
    All are added to their own depthwise convolution and mixed by a pointwise one.
    iFormer (Si et al., 2022, https://arxiv.org/abs/2205.12956), where head is 32 and pool is 2 in the first two stages.

    Departures: queries, keys and values have weights of their own; the attended channels come first and the other two
    kinds alternate, where the original has the convolved, the pooled, the attended ones one after the other (so the
    leading channels of a wide layer are a narrow one: the same layer with its channels in another order); maps whose
    sides `pool` does not divide work too. Another number of heads is another layer: choose between layers, not sizes.
    Raises ValueError where the heads leave no even number of channels.
    """

    kind = "attention"
    leading_only = "the channels that attend come first, whatever the width"

    def __init__(self, channels: int, heads: int = 1, head: int = 32, pool: int = 1):
        super().__init__()
        low, high = heads * head, channels - heads * head
        if heads < 1 or high < 2 or high % 2:
            raise ValueError(
                f"InceptionMixer: {channels} channels came with heads={heads} of {head}; at least one head must "
                "attend, and leave an even number of channels, 2 or more: change either"
            )
        self.low, self.head, self.pool = low, head, pool
        self.query = nn.Conv2d(low, low, 1)
        self.key = nn.Conv2d(low, low, 1)
        self.value = nn.Conv2d(low, low, 1)
        self.conv = nn.Conv2d(high // 2, high, 1, bias=False)
        self.depthwise = nn.Conv2d(high, high, 3, padding=1, groups=high, bias=False)
        self.pooled = nn.Conv2d(high // 2, high, 1)
        self.fuse = nn.Conv2d(low + 2 * high, low + 2 * high, 3, padding=1, groups=low + 2 * high, bias=False)
        self.out = nn.Conv2d(low + 2 * high, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        low, high = x[:, : self.low], x[:, self.low :]
        convolved = functional.gelu(self.depthwise(self.conv(high[:, 0::2])))
        pooled = functional.gelu(self.pooled(functional.max_pool2d(high[:, 1::2], 3, 1, 1)))
        mixed_high = functional.channel_shuffle(torch.cat((convolved, pooled), 1), 2)
        mixed = torch.cat((self.attended(low), mixed_high), 1)
        return self.out(mixed + self.fuse(mixed))

    def attended(self, x: Tensor) -> Tensor:
        """Self-attention on the averaged map; shapes stay."""
        size = x.shape[2:]
        if self.pool > 1:
            x = functional.avg_pool2d(x, self.pool, ceil_mode=True, count_include_pad=False)
        parts = self.heads(self.query(x)), self.heads(self.key(x)), self.heads(self.value(x))
        mixed = functional.scaled_dot_product_attention(*parts).transpose(2, 3).reshape(x.shape)
        return functional.interpolate(mixed, size, mode="nearest") if self.pool > 1 else mixed

    def heads(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) -> (batch, heads, positions, channels of a head)."""
        return x.flatten(2).unflatten(1, (-1, self.head)).transpose(2, 3).contiguous()
