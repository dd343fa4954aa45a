"""The parts of a vision transformer whose width, heads and hidden layers can be cut.

Tokens travel as (batch, channels, tokens, 1); the first is the class token, the others are the patches of the image,
row by row.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

HEAD = 64  # channels of a head


class PatchEmbedding(nn.Module):
    """Patches to tokens, with a class token and learned positions: (batch, channels, height, width) -> tokens.

    `width` channels for each of `tokens` patches of `patch` by `patch` pixels, and for the class token before them.
    ViT (Dosovitskiy et al., 2021, https://arxiv.org/abs/2010.11929).
    """

    kind = "conv"

    def __init__(self, channels: int, width: int, patch: int, tokens: int):
        super().__init__()
        self.project = nn.Conv2d(channels, width, patch, patch)
        self.class_token = nn.Parameter(0.02 * torch.randn(1, width, 1, 1))
        self.positions = nn.Parameter(0.02 * torch.randn(1, width, tokens + 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        patches = self.project(x).flatten(2).unsqueeze(3)
        return torch.cat((self.class_token.expand(x.shape[0], -1, -1, -1), patches), 2) + self.positions


class TokenNorm(nn.Module):
    """Layer norm of each token over its channels, with scale and shift; shapes stay.

    Layer normalization (Ba et al., 2016, https://arxiv.org/abs/1607.06450).
    """

    kind = "norm"

    def __init__(self, channels: int, epsilon: float = 1e-5):
        super().__init__()
        self.norm = nn.LayerNorm(channels, epsilon)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class RelativePositions(nn.Module):
    """A vector for each pair of tokens, the sum of one for their distance in rows and one for that in columns.

    () -> (tokens, tokens, channels of a head). Distances are cut off at `limit`; pairs with the class token have a
    vector of their own. AutoFormer (Chen et al., 2021, https://arxiv.org/abs/2107.00651), as in its published code.
    """

    rows: Tensor
    columns: Tensor

    def __init__(self, grid: tuple[int, int], limit: int = 14):
        super().__init__()
        self.vertical = nn.Parameter(0.02 * torch.randn(2 * limit + 2, HEAD))
        self.horizontal = nn.Parameter(0.02 * torch.randn(2 * limit + 2, HEAD))
        cells = torch.arange(grid[0] * grid[1])
        for name, place in (("rows", cells // grid[1]), ("columns", cells % grid[1])):
            distances = (place[None, :] - place[:, None]).clamp(-limit, limit) + limit + 1
            self.register_buffer(name, functional.pad(distances, (1, 0, 1, 0)), persistent=False)

    def forward(self) -> Tensor:
        return self.vertical[self.rows] + self.horizontal[self.columns]


class HeadedAttention(nn.Module):
    """Self-attention with a chosen number of heads of 64 channels, whatever the width; tokens' shapes stay.

    Queries, keys and values have weights of their own, so that fewer heads are the leading ones. With a `grid` (rows,
    columns of patches), keys and values know where they stand relative to the query.
    AutoFormer (Chen et al., 2021, https://arxiv.org/abs/2107.00651). Departure: the published code interleaves queries,
    keys and values in one weight, which comes to the same.
    """

    kind = "attention"

    def __init__(self, channels: int, heads: int = 3, grid: tuple[int, int] | None = None):
        super().__init__()
        self.heads = heads
        self.query = nn.Conv2d(channels, heads * HEAD, 1)
        self.key = nn.Conv2d(channels, heads * HEAD, 1)
        self.value = nn.Conv2d(channels, heads * HEAD, 1)
        self.key_positions = RelativePositions(grid) if grid else None
        self.value_positions = RelativePositions(grid) if grid else None
        self.out = nn.Conv2d(heads * HEAD, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self.split(self.query(x)), self.split(self.key(x)), self.split(self.value(x))
        if self.key_positions is None or self.value_positions is None:
            mixed = functional.scaled_dot_product_attention(query, key, value)
        else:
            scores = query @ key.mT + torch.einsum("bhnc,nmc->bhnm", query, self.key_positions())
            weights = (scores / HEAD**0.5).softmax(-1)
            mixed = weights @ value + torch.einsum("bhnm,nmc->bhnc", weights, self.value_positions())
        return self.out(mixed.transpose(2, 3).flatten(1, 2).unflatten(2, x.shape[2:]))

    def split(self, x: Tensor) -> Tensor:
        """(batch, channels, tokens, 1) -> (batch, heads, tokens, channels of a head)."""
        return x.flatten(2).unflatten(1, (self.heads, HEAD)).transpose(2, 3)


class FeedForward(nn.Module):
    """Linear to `ratio` times the channels, GELU, linear back, with biases, for each token; shapes stay.

    Transformer (Vaswani et al., 2017, https://arxiv.org/abs/1706.03762), with ViT's GELU.
    """

    kind = "mlp"

    def __init__(self, channels: int, ratio: float = 4):
        super().__init__()
        hidden = int(channels * ratio)
        self.up = nn.Conv2d(channels, hidden, 1)
        self.down = nn.Conv2d(hidden, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(functional.gelu(self.up(x)))


class TokenClassifier(nn.Module):
    """Layer norm, then a linear layer of the class token or of the mean of the others: tokens -> (batch, classes).

    "class" as in ViT (Dosovitskiy et al., 2021, https://arxiv.org/abs/2010.11929), "mean" as in AutoFormer (Chen et
    al., 2021, https://arxiv.org/abs/2107.00651).
    """

    kind = "head"

    def __init__(self, channels: int, classes: int, pool: Literal["mean", "class"] = "mean"):
        super().__init__()
        self.norm = TokenNorm(channels)
        self.pool = pool
        self.linear = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(x).flatten(2)
        return self.linear(x[:, :, 0] if self.pool == "class" else x[:, :, 1:].mean(2))
