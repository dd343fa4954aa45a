"""Which part of a stored tensor a smaller layer takes: a window of its channels, the middle of its kernel.

A window's start follows from the number of channels asked for and the number stored, and from nothing else, so that
what a layer puts out is what the next one expects. It is a multiple of both numbers' greatest common divisor: whatever
divides both widths (the channels of a head, of a group, of a pair that alternates) is taken whole or not at all.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any, Literal

import torch
from torch import Tensor

from nasengine.errors import SpaceError
from nasengine.space import Choice, Picks

KERNEL = 2  # the first dimension of a kernel; those before it are channels
EXACT = 1e-9  # what a shift of i / n may miss i steps by
Pieces = tuple[tuple[int, int], ...]  # (start, length)


@dataclass(frozen=True)
class Window:
    """Where the channels that a sliced layer takes begin: LEADING, TRAILING or cyclic(shift)."""

    side: Literal["leading", "trailing", "cyclic"] = "leading"
    shift: float = 0.0

    def start(self, asked: int, stored: int) -> int:
        """The first channel; from there on they are taken in order, going on at 0 after the last."""
        if self.side == "leading" or asked == stored:
            return 0
        if self.side == "trailing":
            return stored - asked
        unit = math.gcd(asked, stored)
        return unit * math.floor(self.shift * (stored // unit) + EXACT)


LEADING = Window()
TRAILING = Window("trailing")


def cyclic(shift: float) -> Window:
    """Channels from the share `shift` of those stored, in [0, 1), going on at the first after the last.

    Over shifts drawn evenly each channel is used equally often, whatever widths are asked for.
    ViTAS (Su et al., 2022, https://arxiv.org/abs/2106.13700). BCNet (Su et al., 2021,
    https://arxiv.org/abs/2105.10533) takes each width once from either side: LEADING, then TRAILING.
    Departure: starts are multiples of what divides both widths, so that heads and groups stay whole.
    """
    if not 0 <= shift < 1:
        raise SpaceError(f"cyclic: shift came as {shift}; it is a share of the stored channels, from 0 to below 1")
    return Window("cyclic", shift)


@dataclass(frozen=True, eq=False)
class Dressed:
    """Picks that also say which channels of the store a sliced layer takes, and how its K stores are mixed.

    `shots` (K,) are the weights of the stores, which add up to one; None where there is one store.
    """

    base: Picks
    window: Window = LEADING
    shots: Tensor | None = None

    def gates(self, name: str, choice: Choice) -> Mapping[str, Any]:
        """Those of the base."""
        return self.base.gates(name, choice)

    def value(self, name: str, choice: Choice) -> Any:
        """The base's."""
        return self.base.value(name, choice)

    def asked(self, name: str) -> bool:
        """Whether the base answers it."""
        return self.base.asked(name)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Dressed) or (self.base, self.window) != (other.base, other.window):
            return False
        if self.shots is None or other.shots is None:
            return self.shots is other.shots
        return torch.equal(self.shots, other.shots)

    def __hash__(self) -> int:
        return hash((self.base, self.window))


def dress_of(picks: Picks | None) -> tuple[Window, Tensor | None]:
    """The window and the weights of the stores that picks ask for, of themselves or of what they are based on."""
    while picks is not None:
        if isinstance(picks, Dressed):
            return picks.window, picks.shots
        picks = getattr(picks, "base", None)
    return LEADING, None


def cut(place: str, name: str, stored: Tensor, shape: Sequence[int], window: Window = LEADING) -> Tensor:
    """A window of the channels and the central kernel window of a tensor: a view, or a copy where the window wraps.

    Raises SpaceError where more is asked for than is stored.
    """
    if any(wanted > held for wanted, held in zip(shape, stored.shape, strict=True)):
        raise SpaceError(
            f"{place}: {name} is asked for as {tuple(shape)}, the supernet holds {tuple(stored.shape)}; "
            "build the space with larger sizes"
        )
    for d, pieces in enumerate(_pieces(stored.shape, tuple(shape), window)):
        if len(pieces) > 1:
            stored = torch.cat([stored.narrow(d, *piece) for piece in pieces], d)
        elif shape[d] != stored.shape[d]:
            stored = stored.narrow(d, *pieces[0])
    return stored


def put(stored: Tensor, values: Tensor, window: Window) -> None:
    """Write values back to where `cut` took them from."""
    for corner in product(*_pieces(stored.shape, values.shape, window)):
        target, source = stored, values
        for d, (start, length) in enumerate(corner):
            from_there = 0 if length == values.shape[d] or start else values.shape[d] - length
            target, source = target.narrow(d, start, length), source.narrow(d, from_there, length)
        target.copy_(source)


@lru_cache(maxsize=65536)
def _pieces(stored: tuple[int, ...], shape: tuple[int, ...], window: Window) -> tuple[Pieces, ...]:
    """Per dimension the one or two stretches that are taken."""
    found = []
    for d, (held, wanted) in enumerate(zip(stored, shape, strict=True)):
        start = window.start(wanted, held) if d < KERNEL else (held - wanted) // 2
        first = min(wanted, held - start)
        found.append(((start, first),) if first == wanted else ((start, first), (0, wanted - first)))
    return tuple(found)
