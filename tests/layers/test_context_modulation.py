import pytest
import torch
from torch.nn import functional

from nasengine.layers import ContextModulation


@pytest.mark.parametrize("expand", [1, 3])
def test_equals_the_paper_written_out(expand: int) -> None:
    """EfficientMod (https://arxiv.org/abs/2403.19963): p(v(x) * ctx(x)), the context repeated for each copy."""
    torch.manual_seed(0)
    layer = ContextModulation(4, kernel=5, expand=expand).double()
    x = torch.randn(2, 4, 6, 5, dtype=torch.float64)
    context = layer.after(functional.gelu(layer.depthwise(layer.before(x))))
    values = layer.up(x)
    values = functional.gelu(values) if expand > 1 else values
    total = layer.down.bias[None, :, None, None]
    for copy in range(expand):  # one channel of each group of copies
        weight = layer.down.weight[:, copy::expand, 0, 0]
        total = total + torch.einsum("dc,bchw->bdhw", weight, values[:, copy::expand] * context)
    assert torch.allclose(layer(x), total, atol=1e-12)


def test_parameters() -> None:
    c, r = 64, 6
    context = 2 * (c * c + c) + 49 * c + c
    layer = ContextModulation(c, expand=r)
    assert sum(p.numel() for p in layer.parameters()) == context + r * c * c + r * c + r * c * c + c
    assert layer(torch.randn(2, c, 3, 2)).shape == (2, c, 3, 2)
