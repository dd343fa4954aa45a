import torch

from nasengine.layers import LocalRelation


def test_parameters_of_the_published_mixer():
    """UniFormer (https://arxiv.org/abs/2201.09450): pointwise, depthwise 5 by 5, pointwise, with biases."""
    assert sum(p.numel() for p in LocalRelation(64).parameters()) == 2 * (64**2 + 64) + 26 * 64


def test_reaches_as_far_as_its_kernel():
    torch.manual_seed(0)
    layer, x = LocalRelation(2, kernel=5), torch.zeros(1, 2, 9, 8)
    x[0, :, 4, 3] = 1.0
    reached = (layer(x) - layer(torch.zeros_like(x))).abs().amax(1)[0] > 1e-9
    assert {tuple(p) for p in reached.nonzero().tolist()} == {(r, c) for r in range(2, 7) for c in range(1, 6)}
