"""How far a kernel's numbers are from torch's."""

from torch import Tensor


def difference(one: Tensor, other: Tensor) -> float:
    """The largest difference, relative to the largest number."""
    assert one.shape == other.shape
    one, other = one.detach().double(), other.detach().double()
    return float((one - other).abs().max() / other.abs().max().clamp(min=1e-30))
