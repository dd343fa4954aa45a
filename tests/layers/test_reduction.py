import pytest
import torch

from nasengine.layers import FactorizedReduce, ResidualReduction


def parameters(layer):
    return sum(p.numel() for p in layer.parameters())


def test_parameters():
    """C^2 (+2C) for DARTS' skip at stride 2; 14,464 and 57,600 for the two blocks of NAS-Bench-201."""
    assert parameters(FactorizedReduce(16, affine=False)) == 256
    assert parameters(FactorizedReduce(16)) == 256 + 32
    assert parameters(FactorizedReduce(16, width=32, affine=False)) == 512
    assert parameters(ResidualReduction(16, 32)) == 14_464
    assert parameters(ResidualReduction(32, 64)) == 57_600


@pytest.mark.parametrize("size", [1, 2, 5, 8])
def test_sizes_are_halved_and_rounded_up(size):
    x = torch.randn(2, 4, size, size + 1)
    expected = (2, 6, -(-size // 2), -(-(size + 1) // 2))
    assert FactorizedReduce(4, width=6)(x).shape == expected
    assert ResidualReduction(4, 6)(x).shape == expected


def test_each_half_of_the_factorized_reduction_sees_its_own_pixels():
    layer = FactorizedReduce(1, width=2, affine=False).eval()
    with torch.no_grad():
        layer.even.weight.fill_(1.0)
        layer.odd.weight.fill_(1.0)
    x = torch.arange(16.0).reshape(1, 1, 4, 4)
    even, odd = layer(x)[0] * (1 + 1e-5) ** 0.5
    assert torch.allclose(even, x[0, 0, ::2, ::2])
    assert torch.allclose(odd, x[0, 0, 1::2, 1::2])


def test_leading_channels_of_a_wide_reduction_are_a_narrow_one():
    wide, narrow = FactorizedReduce(6, width=8).eval(), FactorizedReduce(4, width=4).eval()
    with torch.no_grad():
        narrow.even.weight.copy_(wide.even.weight[:2, :4])
        narrow.odd.weight.copy_(wide.odd.weight[:2, :4])
    x = torch.randn(2, 4, 6, 6)
    padded = torch.cat((x, torch.zeros(2, 2, 6, 6)), 1)
    assert torch.allclose(wide(padded)[:, :4], narrow(x), atol=1e-6)


def test_odd_widths_are_refused_with_a_reason():
    with pytest.raises(ValueError, match="width came as 5.*even"):
        FactorizedReduce(4, width=5)


def test_the_residual_reduction_adds_a_shortcut_that_bypasses_the_relus():
    x = -torch.rand(2, 4, 6, 6)
    assert ResidualReduction(4, 8).eval()(x).abs().max() > 0
