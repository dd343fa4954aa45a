"""Memory that runs out: smaller micro-batches are tried, and nothing of what failed stays."""

import gc
import weakref

import pytest
import torch

from nasengine.errors import TrainingError
from nasengine.training.memory import is_out_of_memory, with_less_memory


@pytest.mark.parametrize(
    ("error", "memory"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB"), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried"), True),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_it_is_told_from_other_errors(error: Exception, memory: bool) -> None:
    assert is_out_of_memory(error) == memory


def test_torch_says_so_of_a_real_allocation() -> None:
    with pytest.raises(RuntimeError) as fault:
        torch.empty(2**60, dtype=torch.uint8)
    assert is_out_of_memory(fault.value)


def test_the_largest_micro_batch_that_fits_is_found_and_what_failed_is_let_go() -> None:
    held: list[weakref.ref[torch.Tensor]] = []

    def train(micro_batch: int) -> str:
        assert all(tensor() is None for tensor in held), "the traceback kept a tensor of the attempt before"
        tensor = torch.zeros(1000)
        held.append(weakref.ref(tensor))
        if micro_batch > 10:
            raise torch.OutOfMemoryError("full")
        return "done"

    gc.disable()  # a reference that only the collector would find is held too long as well
    try:
        assert with_less_memory(train, 64) == ("done", 8)
    finally:
        gc.enable()
    assert len(held) == 4


def test_two_images_are_the_least() -> None:
    def train(micro_batch: int) -> None:
        raise RuntimeError("CUDA error: out of memory\nCompile with TORCH_USE_CUDA_DSA")

    with pytest.raises(
        TrainingError, match=r"^out of memory: CUDA error: out of memory; tried micro-batches 20, 10, 5, 2;"
    ):
        with_less_memory(train, 20)


def test_another_error_is_raised_at_once() -> None:
    tried = []

    def train(micro_batch: int) -> None:
        tried.append(micro_batch)
        raise RuntimeError("odd")

    with pytest.raises(RuntimeError, match="odd"):
        with_less_memory(train, 64)
    assert tried == [64]
