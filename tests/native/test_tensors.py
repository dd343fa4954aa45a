"""Which tensors are the kernels' and which are torch's."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from nasengine.native.tensors import MOST_THREADS, taken


@pytest.mark.parametrize("kernel", ["depthwise", "pointwise", "norm_sum"])
def test_many_threads_are_left_to_torch(
    kernel: str, needs: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    needs("compiler")
    x = torch.zeros(1, 2, 3, 3)
    for threads, is_taken in ((1, True), (MOST_THREADS, True), (MOST_THREADS + 1, False)):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        assert taken(x, kernel) is is_taken
        assert not taken(x.double(), kernel)
