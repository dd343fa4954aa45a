import torch

from nasengine.layers import HiddenClassifier


def test_head_of_mobilenetv3_large():
    """960 features, 1,280 in the hidden layer, 1,000 classes; once-for-all's has no bias in the middle."""
    layer = HiddenClassifier(960, classes=1000, bias=True)
    assert sum(p.numel() for p in layer.parameters()) == 960 * 1280 + 1280 + 1280 * 1000 + 1000
    assert HiddenClassifier(960, classes=1000).hidden.bias is None


def test_scores_are_those_of_the_mean():
    layer, x = HiddenClassifier(4, classes=3, hidden=8), torch.randn(2, 4, 5, 5)
    mean = x.mean((2, 3), keepdim=True)
    assert torch.allclose(layer(x), layer(mean), atol=1e-6)
    assert layer(x).shape == (2, 3)
