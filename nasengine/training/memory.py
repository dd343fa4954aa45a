"""Memory that ran out: how to tell, and how to go on with less."""

import gc
from collections.abc import Callable
from typing import TypeVar

import torch

from nasengine.errors import TrainingError
from nasengine.training.allocator import give_back_memory

Trained = TypeVar("Trained")
LEAST = 2  # images: batch statistics of a single one are undefined

# torch.OutOfMemoryError covers its own allocator on GPUs; the rest come as a plain RuntimeError with such words.
_WORDS = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    "Unable to find a valid cuDNN algorithm",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether an error means that a GPU or the machine has no memory left."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error) for word in _WORDS)


def make_room() -> None:
    """Give back what nobody holds any more."""
    gc.collect()
    give_back_memory()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def with_less_memory(train: Callable[[int], Trained], batch: int) -> tuple[Trained, int]:
    """Call `train(micro_batch)` with `batch`, then half as many images at once, and so on, until the memory suffices.

    Returns what it returned, and the micro-batch. What `train` holds in local variables is free before it is called
    again. Raises TrainingError that names all micro-batches tried when two images are still too many.
    """
    tried = [batch]
    while True:
        try:
            return train(tried[-1]), tried[-1]
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            said = str(error).partition("\n")[0] or type(error).__name__
        # The error is gone by here, and with its traceback all that the training held.
        make_room()
        if tried[-1] // 2 < LEAST:
            raise TrainingError(
                f"out of memory: {said}; tried micro-batches {', '.join(map(str, tried))}; bound the networks' size "
                '(--objective "params<1M"), or train on smaller images (--fidelity.resolution)'
            )
        tried.append(tried[-1] // 2)
