import pytest
import torch
from torch import Tensor
from torch.nn import functional

from nasengine.layers import EMOAttention, EMOConv, EMOStem


def local(layer: EMOConv, x: Tensor) -> Tensor:
    """From the expanded channels on, with the norm's numbers as they start."""
    wide = functional.conv2d(x, layer.depthwise.weight, padding=layer.depthwise.padding, groups=len(x[0]))
    return functional.silu(wide / (1 + 1e-6) ** 0.5)


def test_the_block_without_attention_written_out() -> None:
    """EMO (https://arxiv.org/abs/2301.01146): expand, depthwise with a shortcut around it, project."""
    torch.manual_seed(0)
    layer, x = EMOConv(4, expand=2.5, kernel=5).double().eval(), torch.randn(2, 4, 6, 5, dtype=torch.float64)
    hidden = functional.gelu(layer.up(x))
    assert hidden.shape[1] == 10
    assert torch.allclose(layer(x), layer.down(hidden + local(layer, hidden)), atol=1e-12)


def test_no_shortcut_where_the_map_is_halved() -> None:
    torch.manual_seed(0)
    layer, x = EMOConv(4, 6, stride=2, activation="silu").double().eval(), torch.randn(2, 4, 7, 8, dtype=torch.float64)
    hidden = functional.silu(layer.up(x))
    assert torch.allclose(layer(x), layer.down(local(layer, hidden)[:, :, ::2, ::2]), atol=1e-12)
    assert layer(x).shape == (2, 6, 4, 4)


def test_attention_weighs_the_input_before_it_is_expanded() -> None:
    torch.manual_seed(0)
    layer, x = EMOAttention(8, expand=2, head=4).double().eval(), torch.randn(2, 8, 3, 5, dtype=torch.float64)
    query, key = layer.query(x).flatten(2), layer.key(x).flatten(2)
    heads = []
    for start in (0, 4):
        q, k, v = (part[:, start : start + 4] for part in (query, key, x.flatten(2)))
        heads.append(torch.einsum("bnm,bcm->bcn", torch.softmax(torch.einsum("bcn,bcm->bnm", q, k) / 2, -1), v))
    hidden = functional.gelu(layer.up(torch.cat(heads, 1).reshape(x.shape)))
    assert torch.allclose(layer(x), layer.down(hidden + local(layer, hidden)), atol=1e-12)


@pytest.mark.parametrize(("size", "rows", "columns"), [((6, 4), 2, 2), ((5, 7), 2, 3), ((3, 3), 1, 1)])
def test_windows_are_spread_over_the_map(size: tuple[int, int], rows: int, columns: int) -> None:
    """A position attends to those whose row and column leave the same rest."""
    torch.manual_seed(0)
    layer = EMOAttention(4, expand=1, kernel=1, head=4, window=3).double().eval()
    x = torch.randn(1, 4, *size, dtype=torch.float64, requires_grad=True)
    (reached,) = torch.autograd.grad(layer(x)[0, :, 1, 1].sum(), x)
    seen = {tuple(place) for place in (reached.abs().amax((0, 1)) > 1e-12).nonzero().tolist()}
    every = [(row, column) for row in range(size[0]) for column in range(size[1])]
    assert seen == {place for place in every if place[0] % rows == 1 % rows and place[1] % columns == 1 % columns}


def test_parameters() -> None:
    def number(layer: torch.nn.Module) -> int:
        return sum(p.numel() for p in layer.parameters())

    c, hidden = 80, 240
    block = c * hidden + hidden + 25 * hidden + 2 * hidden + hidden * c
    assert number(EMOConv(c, expand=3, kernel=5)) == block
    assert number(EMOAttention(c, expand=3, kernel=5, head=20)) == block + 2 * (c * c + c)
    assert number(EMOStem(3)) == 27 * 24 + 24 + 48 + 9 * 24 + 48 + 2 * (24 * 24 + 24) + 24 * 24
    assert EMOStem(3)(torch.randn(2, 3, 9, 8)).shape == (2, 24, 5, 4)


def test_heads_must_divide_the_channels() -> None:
    with pytest.raises(ValueError, match="24 channels came; heads of 16 must divide them"):
        EMOAttention(24)
