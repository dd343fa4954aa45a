"""Adan's rule in one pass over memory, by a compiled kernel, for parameters on the CPU."""

import ctypes
from array import array
from collections.abc import Sequence
from itertools import compress
from operator import attrgetter

import torch
from torch import Tensor

from nasengine.native.build import library
from nasengine.training.adan_rule import Move, Shared

_KERNELS = {torch.float32: "adan_float32", torch.float64: "adan_float64"}
_kind = attrgetter("dtype", "is_cpu")


def step_natively(shared: Shared, moves: Sequence[Move], clip: Tensor | None) -> Sequence[Move]:
    """Take in one call all the steps that the kernel can take, and return the others; all are of one type."""
    dtype = moves[0].tensors[0].dtype
    built = library("adan") if dtype in _KERNELS else None
    if built is None:
        return moves
    taken = [_is_plain(move.tensors) for move in moves]
    places, sizes, rates = array("Q"), array("q"), array("d")
    for tensors, own in compress(moves, taken):
        places.extend(map(Tensor.data_ptr, tensors))
        sizes.append(tensors[0].numel())
        rates.extend(own)
    kernel = getattr(built, _KERNELS[dtype])
    numbers = array("d", (1.0 if clip is None else clip.item(), *shared))
    tables = (numbers, places, sizes, rates)
    kernel(*(ctypes.c_void_p(table.buffer_info()[0]) for table in tables), ctypes.c_int64(len(sizes)))
    torch.autograd.graph.increment_version([move.tensors[0] for move in compress(moves, taken)])
    return [move for move, done in zip(moves, taken, strict=True) if not done]


def _is_plain(tensors: Sequence[Tensor]) -> bool:
    """Whether all lie in the processor's memory alike and without gaps, and are of one type and size.

    Whatever else they are (moved meanwhile, cut, loaded from elsewhere), the kernel never reads past their ends.
    """
    if len(set(map(_kind, tensors))) > 1 or len(set(map(Tensor.numel, tensors))) > 1 or not tensors[0].is_cpu:
        return False
    if all(map(Tensor.is_contiguous, tensors)):
        return True
    return tensors[0].dim() == 4 and all(it.is_contiguous(memory_format=torch.channels_last) for it in tensors)
