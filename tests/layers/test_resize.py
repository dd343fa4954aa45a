import pytest
import torch

from nasengine.layers import Resize


def test_sizes_and_means():
    x = torch.randn(2, 3, 8, 6)
    assert Resize(3, 5)(x).shape == (2, 3, 5, 5)
    flat = torch.full((1, 3, 8, 6), 0.5)
    assert torch.allclose(Resize(3, 13)(flat), torch.full((1, 3, 13, 13), 0.5))
    square = x[:, :, :6]
    assert torch.equal(Resize(3, 6)(square), square)


def test_no_pixels_are_refused():
    with pytest.raises(ValueError, match="size=0"):
        Resize(3, 0)
