"""The recording of CUDA graphs, as torch describes it (https://docs.pytorch.org/docs/stable/notes/cuda.html)."""

import contextlib
import gc
import warnings
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

Learn = Callable[[], tuple[Tensor, Tensor]]  # to the loss and the outputs, of tensors that stay where they are
Capture = Callable[[Learn], Learn]  # to what repeats it, whose results the next run overwrites; may run it before
WARM_UP = 3  # runs before the recording, in which libraries choose their kernels and take their memory


class Recorder:
    """Captures on a CUDA device. All its graphs share one pool of memory: what they give is copied before the next."""

    def __init__(self, device: torch.device):
        self.device, self.stream = device, torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self.pool = torch.cuda.graph_pool_handle()

    def __call__(self, learn: Learn) -> Learn:
        """Record it as torch describes: some runs on a side stream, then one that launches nothing.

        The last of the runs may not wait for the device: that would break the recording, which then leaks its memory.
        """
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.device(self.device):
            present = torch.cuda.current_stream()
            self.stream.wait_stream(present)
            with torch.cuda.stream(self.stream):  # its end brings the present stream back, also after a failure
                try:
                    for _ in range(WARM_UP - 1):
                        learn()
                    with never_waiting():
                        learn()
                finally:
                    present.wait_stream(self.stream)
                gc.collect()  # else what garbage holds may be freed in the midst of the recording
                with torch.cuda.graph(graph, pool=self.pool, stream=self.stream):
                    held = learn()

        def repeat() -> tuple[Tensor, Tensor]:
            graph.replay()
            return held

        return repeat


@contextlib.contextmanager
def never_waiting() -> Iterator[None]:
    """Within it whatever makes the host wait for a CUDA device raises RuntimeError, as far as torch sees it."""
    before = torch.cuda.get_sync_debug_mode()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Synchronization debug mode is a prototype")
        torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode(before)


@contextlib.contextmanager
def casting_anew() -> Iterator[None]:
    """Within it autocast keeps no weights that it has cast: a graph would not cast those that learned since."""
    before = torch.is_autocast_cache_enabled()
    torch.set_autocast_cache_enabled(False)
    try:
        yield
    finally:
        torch.set_autocast_cache_enabled(before)
