"""Attention between positions."""

from torch import Tensor, nn


class Attention(nn.Module):
    """Self-attention over all positions, with heads of `head` channels and no biases; shapes stay.

    Queries, keys and values have weights of their own, so that the leading channels are whole heads. Tokens may
    come as (batch, channels, tokens, 1). Attention (Vaswani et al., 2017, https://arxiv.org/abs/1706.03762), as in
    MetaFormer (Yu et al., 2022, https://arxiv.org/abs/2210.13452), where a head has 32 channels.
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
        return x.reshape(x.shape[0], -1, self.head, x.shape[2] * x.shape[3]).transpose(2, 3)
