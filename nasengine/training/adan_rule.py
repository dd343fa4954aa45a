"""Adan's rule in torch's own grouped operations: on all tensors for a GPU, and on a few at once for a CPU's caches."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

# So many weights at once stay in cache with all that belongs to them; fewer cost more in calls than they save.
BLOCK = 1 << 17


class Shared(NamedTuple):
    """What all tensors of a group share in one step."""

    b2: float
    b3: float
    gain1: float  # 1 - b1, and so on
    gain2: float
    gain3: float
    decay: float  # what the weights are multiplied by after the step


class Rates(NamedTuple):
    """What a parameter's number of steps makes of the learning rate."""

    average: float
    difference: float
    floor: float


class Move(NamedTuple):
    """One parameter's step: its weights, gradient, three averages (as in Adan's state) and previous gradient; rates."""

    tensors: tuple[Tensor, ...]
    rates: Rates


def shared(group: Mapping[str, Any]) -> Shared:
    """Return a group's numbers."""
    b1, b2, b3 = group["betas"]
    return Shared(b2, b3, 1 - b1, 1 - b2, 1 - b3, 1 / (1 + group["lr"] * group["weight_decay"]))


def rates(group: Mapping[str, Any], step: int) -> Rates:
    """Return the rates of a parameter's n-th step, bias corrections included.

    The root of the third average is left uncorrected, and its correction moved into the rates: one pass less.
    """
    b1, b2, b3 = group["betas"]
    root = math.sqrt(1 - b3**step)
    rate = group["lr"] * root
    return Rates(rate / (1 - b1**step), rate * b2 / (1 - b2**step), group["eps"] * root)


def step_in_blocks(shared: Shared, moves: Sequence[Move], clip: Tensor | None) -> None:
    """Take all steps, of one device and type: small tensors together, large ones in parts."""
    block, size = [], 0
    for move in moves:
        for part in _parts(move):
            block.append(part)
            size += part.tensors[0].numel()
            if size >= BLOCK:
                step_together(shared, block, clip)
                block, size = [], 0
    if block:
        step_together(shared, block, clip)


def _parts(move: Move) -> Iterator[Move]:
    if move.tensors[0].numel() <= BLOCK or not all(tensor.is_contiguous() for tensor in move.tensors):
        yield move
        return
    for tensors in zip(*(tensor.view(-1).split(BLOCK) for tensor in move.tensors), strict=True):
        yield Move(tensors, move.rates)


def step_together(shared: Shared, moves: Sequence[Move], clip: Tensor | None) -> None:
    """Take all steps, of one device and type, in few kernels; `clip` is a number on the device, and stays there."""
    columns = (list(column) for column in zip(*(move.tensors for move in moves), strict=True))
    weights, gradients, averages, differences, squares, previous = columns
    each = [move.rates for move in moves]
    if clip is not None:
        gradients = list(torch._foreach_mul(gradients, clip.to(weights[0].device)))
    work = torch._foreach_sub(gradients, previous)
    torch._foreach_copy_(previous, gradients)
    torch._foreach_lerp_(averages, gradients, shared.gain1)
    torch._foreach_lerp_(differences, work, shared.gain2)
    torch._foreach_mul_(work, shared.b2)
    torch._foreach_add_(work, gradients)
    torch._foreach_mul_(squares, shared.b3)
    torch._foreach_addcmul_(squares, work, work, value=shared.gain3)
    del work
    bottoms = torch._foreach_sqrt(squares)
    torch._foreach_add_(bottoms, [own.floor for own in each])
    torch._foreach_addcdiv_(weights, averages, bottoms, [-own.average for own in each])
    torch._foreach_addcdiv_(weights, differences, bottoms, [-own.difference for own in each])
    if shared.decay != 1:
        torch._foreach_mul_(weights, shared.decay)
