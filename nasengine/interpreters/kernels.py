"""Smaller kernels that are learnt from the middle of a larger one."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from nasengine.interpreters.slicing import cut

Side = tuple[int, ...]  # (height, width) of a kernel


class KernelTransform(nn.Module):
    """Each smaller kernel is the middle of the next larger one, its positions mixed by a learnt matrix.

    From the largest of `sides` to the smallest in turn, 7 to 5 to 3; a matrix (positions, positions) serves all
    channels and begins as the identity, so that every kernel begins as the centre of the stored one.
    Once-for-all (Cai et al., 2020, https://arxiv.org/abs/1908.09791).
    """

    def __init__(self, sides: Sequence[Side]):
        super().__init__()
        self.sides = sorted(set(sides), reverse=True)
        for side in self.sides[1:]:
            self.register_parameter(_name(side), nn.Parameter(torch.eye(_positions(side))))

    @property
    def largest(self) -> Side:
        """Height and width of the stored kernel."""
        return self.sides[0]

    def forward(self, kernel: Tensor, side: Sequence[int]) -> Tensor:
        """(out, in, height, width) at the largest size to (out, in, *side)."""
        for smaller in self.sides[1:]:
            if any(a > b for a, b in zip(side, smaller, strict=True)):
                break
            middle = cut("kernel transform", _name(smaller), kernel, (*kernel.shape[:2], *smaller))
            kernel = (middle.flatten(2) @ self.get_parameter(_name(smaller))).view_as(middle)
        return cut("kernel transform", _name(side), kernel, (*kernel.shape[:2], *side))


def nested(sides: Sequence[Side]) -> bool:
    """Whether there are several, each inside the next larger."""
    ordered = sorted(set(sides), reverse=True)
    return len(ordered) > 1 and all(
        inner <= outer for large, small in pairwise(ordered) for outer, inner in zip(large, small, strict=True)
    )


def _name(side: Sequence[int]) -> str:
    return "x".join(map(str, side))


def _positions(side: Side) -> int:
    return int(torch.Size(side).numel())
