"""Self-attention with biases for any width, over all positions or within windows."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class SelfAttention(nn.Module):
    """Self-attention over all positions, with heads of `head` channels and biases; shapes stay.

    Where `head` does not divide the channels, the queries, keys and values have the next multiple of it, so that any
    width has whole heads. Attention (Vaswani et al., 2017, https://arxiv.org/abs/1706.03762) as in ViT (Dosovitskiy et
    al., 2021, https://arxiv.org/abs/2010.11929), UniFormer's global block (Li et al., 2022,
    https://arxiv.org/abs/2201.09450) and UniNet (Liu et al., 2022, https://arxiv.org/abs/2207.05420).
    Departure: the originals fuse queries, keys and values into one matrix; the number of weights is the same.
    """

    kind = "attention"

    def __init__(self, channels: int, head: int = 32):
        super().__init__()
        inner = -(-channels // head) * head
        self.head = head
        self.query = nn.Conv2d(channels, inner, 1)
        self.key = nn.Conv2d(channels, inner, 1)
        self.value = nn.Conv2d(channels, inner, 1)
        self.out = nn.Conv2d(inner, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        mixed = attend(self.query(x), self.key(x), self.value(x), self.head)
        return self.out(mixed)


class WindowAttention(SelfAttention):
    """Self-attention within windows of at most `window` by `window` positions that do not overlap; shapes stay.

    The map is cut into as few windows as possible, all of one size; where they reach over its edge, nothing is there to
    attend to. Swin (Liu et al., 2021, https://arxiv.org/abs/2103.14030), without its shifts and its biases by position.
    Departure: the original pads with zeros that are attended to, and its windows are always of the full size.
    """

    def __init__(self, channels: int, head: int = 32, window: int = 7):
        super().__init__(channels, head)
        self.window = window

    def forward(self, x: Tensor) -> Tensor:
        rows, columns = (-(-side // self.window) for side in x.shape[2:])
        height, width = -(-x.shape[2] // rows), -(-x.shape[3] // columns)
        edge = (0, columns * width - x.shape[3], 0, rows * height - x.shape[2])
        there = functional.pad(torch.ones_like(x[:, :1]), edge)
        parts = [functional.pad(part(x), edge) for part in (self.query, self.key, self.value)]
        query, key, value, there = (windows(part, height, width) for part in (*parts, there))
        mask = there.flatten(2).unsqueeze(2) > 0 if any(edge) else None
        mixed = attend(query, key, value, self.head, mask)
        mixed = mixed.unflatten(0, (x.shape[0], rows, columns)).permute(0, 3, 1, 4, 2, 5).flatten(4, 5).flatten(2, 3)
        return self.out(mixed[:, :, : x.shape[2], : x.shape[3]])


def attend(query: Tensor, key: Tensor, value: Tensor, head: int, mask: Tensor | None = None) -> Tensor:
    """Values (batch, channels, height, width) at each query's position, as attended to by heads of `head` channels.

    Keys and values may be of another height and width than queries. `mask` is (batch, 1, 1, positions) of the keys.
    """
    q, k, v = (part.flatten(2).unflatten(1, (-1, head)).transpose(2, 3).contiguous() for part in (query, key, value))
    mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    return mixed.transpose(2, 3).reshape(query.shape)


def windows(x: Tensor, height: int, width: int) -> Tensor:
    """(batch, channels, rows * height, columns * width) -> (batch * rows * columns, channels, height, width)."""
    cut = x.unflatten(3, (-1, width)).unflatten(2, (-1, height))
    return cut.permute(0, 2, 4, 1, 3, 5).flatten(0, 2)
