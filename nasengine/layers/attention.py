"""Layers that mix all positions with each other."""

import torch
from torch import Tensor, nn


class Attention(nn.Module):
    """Self-attention over all positions, with heads of `head` channels and no biases; shapes stay.

    Queries, keys and values have weights of their own, so that the leading channels are whole heads. Tokens may
    come as (batch, channels, tokens, 1). Attention (Vaswani et al., 2017, https://arxiv.org/abs/1706.03762), as in
    MetaFormer (Yu et al., 2022, https://arxiv.org/abs/2210.13452), where a head has 32 channels.
    Departure: the original fuses queries, keys and values into one matrix; the number of weights is the same.
    Raises ValueError where `head` does not divide the channels.
    """

    kind = "attention"

    def __init__(self, channels: int, head: int = 32):
        super().__init__()
        if channels % head:
            raise ValueError(f"Attention: {channels} channels came; heads of {head} must divide them, change either")
        self.head = head
        self.query = nn.Conv2d(channels, channels, 1, bias=False)
        self.key = nn.Conv2d(channels, channels, 1, bias=False)
        self.value = nn.Conv2d(channels, channels, 1, bias=False)
        self.out = nn.Conv2d(channels, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        mixed = nn.functional.scaled_dot_product_attention(
            self.heads(self.query(x)), self.heads(self.key(x)), self.heads(self.value(x))
        )
        return self.out(mixed.transpose(2, 3).reshape(x.shape))

    def heads(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) -> (batch, heads, positions, channels of a head)."""
        split = x.reshape(x.shape[0], -1, self.head, x.shape[2] * x.shape[3]).transpose(2, 3)
        return split.contiguous()  # fused kernels, which keep no positions by positions matrix, take nothing strided


class RandomMixing(nn.Module):
    """Each position becomes a fixed random average of all `positions` (height * width); shapes stay.

    The matrix is drawn at the start, a softmax of uniform numbers in each row, and never learns; it is counted as
    parameters all the same. RandFormer of MetaFormer (Yu et al., 2022, https://arxiv.org/abs/2210.13452).
    Raises ValueError where another number of positions arrives.
    """

    kind = "pool"
    keeps_zero = True

    def __init__(self, channels: int, positions: int):
        super().__init__()
        self.matrix = nn.Parameter(torch.rand(positions, positions).softmax(-1), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        flat = x.flatten(2)
        if flat.shape[2] != len(self.matrix):
            raise ValueError(
                f"RandomMixing: {flat.shape[2]} positions came; it mixes {len(self.matrix)}, one image size alone"
            )
        return nn.functional.linear(flat, self.matrix).reshape(x.shape)
