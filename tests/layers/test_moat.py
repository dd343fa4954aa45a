import torch
from torch.nn import functional

from nasengine.layers import MobileAttention


def test_equals_mobile_convolution_then_attention_written_out() -> None:
    """MOAT (https://arxiv.org/abs/2210.01820): attention after the mobile convolution, to the sum with its input."""
    torch.manual_seed(0)
    layer = MobileAttention(8, head=4, expand=3, kernel=3).double().eval()
    with torch.no_grad():
        for norm in (layer.up_norm, layer.depthwise_norm):
            norm.running_mean.normal_(), norm.running_var.uniform_(1, 2), norm.weight.normal_()
    x = torch.randn(2, 8, 3, 5, dtype=torch.float64)

    def normed(norm: torch.nn.BatchNorm2d, x: torch.Tensor) -> torch.Tensor:
        scale = norm.weight / (norm.running_var + 1e-5).sqrt()
        return (x - norm.running_mean[:, None, None]) * scale[:, None, None] + norm.bias[:, None, None]

    hidden = functional.gelu(normed(layer.up_norm, torch.einsum("dc,bchw->bdhw", layer.up.weight[..., 0, 0], x)))
    wide = functional.conv2d(hidden, layer.depthwise.weight, padding=1, groups=24)
    mobile = layer.down(functional.gelu(normed(layer.depthwise_norm, wide)))
    tokens = functional.layer_norm((x + mobile).flatten(2).mT, (8,), eps=layer.norm.norm.eps)
    own = layer.attention
    projections = (own.query, own.key, own.value)
    query, key, value = (functional.linear(tokens, f.weight.flatten(1), f.bias) for f in projections)
    heads = []
    for start in (0, 4):
        q, k, v = (part[..., start : start + 4] for part in (query, key, value))
        heads.append(torch.softmax(q @ k.mT / 2, dim=-1) @ v)
    attended = functional.linear(torch.cat(heads, -1), own.out.weight.flatten(1), own.out.bias).mT.reshape(x.shape)
    assert torch.allclose(layer(x), mobile + attended, atol=1e-12)


def test_parameters() -> None:
    """Mobile convolution of 4 C hidden channels with two batch norms, layer norm, four projections with biases."""
    c, hidden = 64, 256
    mobile = c * hidden + 2 * hidden + 9 * hidden + 2 * hidden + hidden * c + c
    layer = MobileAttention(c)
    assert sum(p.numel() for p in layer.parameters()) == mobile + 2 * c + 4 * (c * c + c)
    assert layer(torch.randn(2, c, 7, 5)).shape == (2, c, 7, 5)
