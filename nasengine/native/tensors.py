"""Which tensors the kernels take."""

import torch
from torch import Tensor
from torch.nn.parameter import Parameter

from nasengine.native.build import library

MOST_THREADS = 4


def taken(x: Tensor, kernel: str) -> bool:
    """Return whether a kernel takes such a tensor: float32 (batch, channels, height, width) on the CPU, not empty.

    Kernels run on one thread. Where torch has more than MOST_THREADS, the work is left to torch.
    """
    usual = type(x) in (Tensor, Parameter) and x.device.type == "cpu" and x.dtype == torch.float32
    few = torch.get_num_threads() <= MOST_THREADS
    return usual and x.dim() == 4 and x.numel() > 0 and few and library(kernel) is not None
