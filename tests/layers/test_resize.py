import pytest
import torch

from nasengine.layers import Resize
from nasengine.layers.resize import strides_for


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


@pytest.mark.parametrize(
    ("side", "kept"),
    [(224, (2, 2, 1, 2)), (32, (2, 2, 1, 2)), (31, (2, 2, 1, 2)), (16, (1, 2, 1, 2)), (3, (1, 1, 1, 1))],
)
def test_strides_are_left_out_from_the_first_on(side, kept):
    assert strides_for(side, (2, 2, 1, 2), smallest=4) == kept
