import torch
from torch.nn.functional import gelu, layer_norm

from nasengine.layers import GELUClassifier


def test_equals_the_published_head_written_out():
    """InceptionNeXt (https://arxiv.org/abs/2303.16900): 3 C^2 + 9 C + 3000 C + 1000 weights for 1,000 classes."""
    layer = GELUClassifier(8, classes=1000).double()
    assert sum(p.numel() for p in layer.parameters()) == 3 * 8**2 + 9 * 8 + 3000 * 8 + 1000
    x = torch.randn(2, 8, 3, 5, dtype=torch.float64)
    hidden = gelu(layer.up(x.mean((2, 3))))
    assert torch.allclose(layer(x), layer.linear(layer_norm(hidden, (24,), eps=1e-6)), atol=1e-12)
