"""Adan's rule in torch's own operations: block by block for the CPU's caches, and in grouped kernels for a GPU."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

# Six blocks and two of work stay in cache; smaller ones cost more in calls than they save in memory.
BLOCK = 1 << 17


class Shared(NamedTuple):
    """What all tensors of a group share in one step."""

    clip: float  # what the gradients are multiplied by
    b2: float
    b3: float
    gain1: float  # 1 - b1, and so on
    gain2: float
    gain3: float
    before: float  # what the weights are multiplied by before and after the step
    after: float


class Rates(NamedTuple):
    """What a parameter's number of steps makes of the learning rate."""

    average: float
    difference: float
    floor: float


class Move(NamedTuple):
    """One parameter's step: its weights, gradient, three averages (as in Adan's state) and previous gradient; rates."""

    tensors: tuple[Tensor, ...]
    rates: Rates


def shared(group: Mapping[str, Any], clip: float = 1.0) -> Shared:
    """Return a group's numbers; its decay acts before the step where decoupled, and after it where proximal."""
    b1, b2, b3 = group["betas"]
    shrink = group["lr"] * group["weight_decay"]
    decoupled = group["decay"] == "decoupled"
    before, after = (1 - shrink, 1.0) if decoupled else (1.0, 1 / (1 + shrink))
    return Shared(clip, b2, b3, 1 - b1, 1 - b2, 1 - b3, before, after)


def rates(group: Mapping[str, Any], step: int) -> Rates:
    """Return the rates of a parameter's n-th step, bias corrections included.

    The root of the third average is left uncorrected, and its correction moved into the rates: one pass less.
    """
    b1, b2, b3 = group["betas"]
    root = math.sqrt(1 - b3**step)
    rate = group["lr"] * root
    return Rates(rate / (1 - b1**step), rate * b2 / (1 - b2**step), group["eps"] * root)


def step_in_blocks(shared: Shared, moves: Sequence[Move]) -> None:
    """Take the steps one by one, large tensors in blocks; all of one device and type."""
    if not moves:
        return
    most = max(tensors[0].numel() for tensors, _ in moves)
    work = moves[0].tensors[0].new_empty((2, min(BLOCK, most)))
    for tensors, own in moves:
        if all(tensor.is_contiguous() for tensor in tensors):
            for block in zip(*(tensor.view(-1).split(BLOCK) for tensor in tensors), strict=True):
                change, spare = work[:, : block[0].numel()]
                _step(shared, own, block, change, spare)
        else:
            _step(shared, own, tensors, torch.empty_like(tensors[0]), torch.empty_like(tensors[0]))


def _step(shared: Shared, own: Rates, tensors: tuple[Tensor, ...], change: Tensor, spare: Tensor) -> None:
    weights, gradient, average, difference, square, previous = tensors
    if shared.clip != 1:
        gradient = torch.mul(gradient, shared.clip, out=spare)
    torch.sub(gradient, previous, out=change)
    previous.copy_(gradient)
    average.lerp_(gradient, shared.gain1)
    difference.lerp_(change, shared.gain2)
    torch.add(gradient, change, alpha=shared.b2, out=change)
    square.mul_(shared.b3).addcmul_(change, change, value=shared.gain3)
    torch.sqrt(square, out=change).add_(own.floor)
    if shared.before != 1:
        weights.mul_(shared.before)
    torch.mul(average, own.average, out=spare).add_(difference, alpha=own.difference)
    weights.addcdiv_(spare, change, value=-1)
    if shared.after != 1:
        weights.mul_(shared.after)


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
    if shared.before != 1:
        torch._foreach_mul_(weights, shared.before)
    torch._foreach_addcdiv_(weights, averages, bottoms, [-own.average for own in each])
    torch._foreach_addcdiv_(weights, differences, bottoms, [-own.difference for own in each])
    if shared.after != 1:
        torch._foreach_mul_(weights, shared.after)
