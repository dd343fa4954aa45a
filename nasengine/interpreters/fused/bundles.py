"""Values of several layers in one tensor, and what becomes of those that all of the layers share."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from nasengine.interpreters.fused.norms import Norm, normalised


@dataclass(frozen=True, eq=False)
class Bundle:
    """(batch, members * channels, height, width), member after member; or one value that all members share.

    members: how many; 0 is one value that all share
    key: tells a shared value from others
    phases: d where the batch holds d * d images of every d-th pixel instead of each image, 1 else
    norm: a norm still to be done, by which it is its members' own
    """

    tensor: Tensor
    members: int = 0
    key: Hashable = None
    phases: int = 1
    norm: Norm | None = None

    def split(self) -> tuple[Tensor, ...]:
        """Every member's own value."""
        return self.done().whole().tensor.chunk(max(self.members, 1), dim=1)

    def done(self) -> "Bundle":
        """With the norm that was still to be done."""
        return self if self.norm is None else replace(self, tensor=normalised([self.tensor], [self.norm]), norm=None)

    def whole(self) -> "Bundle":
        """With images put together that `Memo.phases` has cut."""
        if self.phases == 1:
            return self
        d = self.phases
        n, c, h, w = self.tensor.shape
        pixels = self.tensor.permute(0, 2, 3, 1).reshape(d, d, n // d**2, h, w, c).permute(2, 3, 0, 4, 1, 5)
        return replace(self, tensor=pixels.reshape(-1, h * d, w * d, c).permute(0, 3, 1, 2), phases=1)


class Memo:
    """Remembers what was made of shared values, so that it is made once."""

    def __init__(self) -> None:
        self._made: dict[Hashable, Bundle] = {}

    def once(self, value: Bundle, what: Hashable, make: Callable[[Tensor], Tensor], **changes: Any) -> Bundle:
        """`make` of the value's tensor, with `changes` to the bundle; remembered where the value is shared."""
        if value.members:
            return replace(value, tensor=make(value.tensor), **changes)
        key = (what, value.key)
        if key not in self._made:
            self._made[key] = replace(value, tensor=make(value.tensor), key=key, **changes)
        return self._made[key]

    def spread(self, value: Bundle, members: int) -> Bundle:
        """A copy for each member."""
        if value.members:
            return value
        return self.once(value, ("spread", members), lambda x: torch.cat([x] * members, dim=1), members=members)

    def phases(self, value: Bundle, d: int) -> Bundle:
        """Cut images into d * d images of every d-th pixel, which lie in the batch; d divides height and width."""

        def cut(x: Tensor) -> Tensor:
            n, c, h, w = x.shape
            pixels = x.permute(0, 2, 3, 1).reshape(n, h // d, d, w // d, d, c).permute(2, 4, 0, 1, 3, 5)
            return pixels.reshape(-1, h // d, w // d, c).permute(0, 3, 1, 2)

        return self.once(value, ("phases", d), cut, phases=d)

    def every(self, value: Bundle, d: int) -> Bundle:
        """Only every d-th pixel."""
        form = torch.channels_last
        return self.once(value, ("every", d), lambda x: x[:, :, ::d, ::d].contiguous(memory_format=form))
