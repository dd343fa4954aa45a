import pytest
import torch

from nasengine.layers import LayerScale, ResScale


@pytest.mark.parametrize(
    ("layer", "start"), [(LayerScale(3), 1e-5), (LayerScale(3, start=1e-6), 1e-6), (ResScale(3), 1.0)]
)
def test_each_channel_has_a_factor_with_its_published_start(layer, start):
    """PoolFormer (https://arxiv.org/abs/2111.11418) and MetaFormer (https://arxiv.org/abs/2210.13452)."""
    assert layer.weight.tolist() == pytest.approx([start] * 3)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([0.0, 1.0, -2.0]))
    x = torch.randn(2, 3, 4, 5)
    assert torch.equal(layer(x), torch.stack([0 * x[:, 0], x[:, 1], -2 * x[:, 2]], 1))
