"""Devices that torch runs networks on: the CPU with a number of threads, and CUDA."""

import platform
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nasengine.hardware.timing import Run, Timing, measure, wall_clock

Shape = Sequence[int]


@dataclass(frozen=True)
class Cpu:
    """This machine's processor, through torch as it is (eager)."""

    threads: int
    batch: int = 1

    def facts(self) -> dict[str, Any]:
        """What the measured milliseconds belong to."""
        return {
            "device": "cpu",
            "model": cpu_model(),
            "threads": self.threads,
            "batch": self.batch,
            "dtype": "float32",
            "torch": torch.__version__,
        }

    def time(self, module: nn.Module, inputs: Sequence[Shape]) -> Timing:
        """Milliseconds of a forward pass; `inputs` are shapes without the batch."""
        values = images(inputs, self.batch)
        with threads(self.threads), torch.inference_mode():
            return measure(lambda: module(*values), wall_clock)


@dataclass(frozen=True)
class Cuda:
    """A GPU, through torch as it is (eager); `place` is where modules go."""

    number: int
    place: torch.device
    batch: int = 1

    def facts(self) -> dict[str, Any]:
        """What the measured milliseconds belong to."""
        return {
            "device": "cuda",
            "model": torch.cuda.get_device_name(self.number),
            "driver": driver(),
            "cuda": torch.version.cuda,
            "host": cpu_model(),
            "batch": self.batch,
            "dtype": "float32",
            "torch": torch.__version__,
        }

    def time(self, module: nn.Module, inputs: Sequence[Shape]) -> Timing:
        """Milliseconds of a forward pass between two events; `inputs` are shapes without the batch."""
        values = [value.to(self.place) for value in images(inputs, self.batch)]
        module.to(self.place)
        with torch.inference_mode():
            return measure(lambda: module(*values), self._clock)

    def _clock(self, run: Run) -> float:
        """Milliseconds that the GPU was at it; it starts when all before is done, and is read when it ended."""
        began, ended = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        torch.cuda.synchronize(self.number)
        began.record()
        run()
        ended.record()
        torch.cuda.synchronize(self.number)
        return began.elapsed_time(ended)


def images(inputs: Sequence[Shape], batch: int) -> list[Tensor]:
    """Random values of these shapes, always the same ones."""
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(batch, *shape, generator=generator, dtype=torch.float32) for shape in inputs]


@contextmanager
def threads(number: int) -> Iterator[None]:
    """So many threads within one operation of torch, as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def cpu_model() -> str:
    """The processor's name, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()


def driver() -> str:
    """The version of NVIDIA's driver, or `unknown`."""
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return (done.stdout.split() or ["unknown"])[0]
