"""Double precision for the time of a check, and how far two outputs are apart."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


@contextmanager
def double() -> Iterator[None]:
    """Double precision by default, and random numbers of one's own."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        torch.set_default_dtype(before)


def apart(one: Tensor, other: Tensor) -> float:
    """The largest difference, relative to the largest value; infinite where shapes differ or a value is no number."""
    if one.shape != other.shape or not (one.isfinite().all() and other.isfinite().all()):
        return float("inf")
    if not one.numel():
        return 0.0
    return float((one - other).abs().max() / one.abs().max().clamp_min(1e-300))


def shake(module: nn.Module) -> None:
    """Give every weight and statistic a random value of its own, so that none agrees by its start."""
    with torch.no_grad():
        for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
            if tensor.is_floating_point() and name.endswith("running_var"):
                tensor.mul_(torch.rand_like(tensor) + 0.5)
            elif tensor.is_floating_point():
                tensor.add_(0.1 * torch.randn_like(tensor))
