"""Which tensors the kernels take."""

import torch
from torch import Tensor
from torch.nn.parameter import Parameter

from nasengine.native.build import library

# Each kernel runs on one: two, with half of the batch each, gained 1.3 times on maps of 32x32 and lost on small ones.
MOST_THREADS = 4


def available(x: Tensor, kernel: str) -> bool:
    """Return whether a kernel takes such a tensor: float32 (batch, channels, height, width) on the CPU, not empty.

    kernel: "depthwise", "norm_sum" or "pointwise"

    Kernels run on one thread: where torch has more than MOST_THREADS, the work is left to torch. So it is under a CPU's
    autocast, which wants other types.
    """
    usual = type(x) in (Tensor, Parameter) and x.is_cpu and x.dtype == torch.float32 and x.dim() == 4 and x.numel() > 0
    wanted = torch.get_num_threads() <= MOST_THREADS and not torch.is_autocast_enabled("cpu")
    return usual and wanted and library(kernel) is not None


def readable(*tensors: Tensor) -> bool:
    """Return whether a kernel can read where they lie: all are float32 on the CPU."""
    # Lists, which are quicker than generators: this is asked in each call, and a small one takes ten microseconds.
    return all([one.is_cpu and one.dtype == torch.float32 for one in tensors])  # noqa: C419


def described(tensor: Tensor) -> str:
    """Return a tensor's shape, type and device in words for an error's text."""
    return f"{tuple(tensor.shape)} {str(tensor.dtype).removeprefix('torch.')} on {tensor.device}"
