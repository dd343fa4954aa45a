"""Devices by name: `cpu`, `cpu:2` (threads), `cuda`, `cuda:0`, `onnxruntime:2`; `cpu(batch=16)` for more at a time."""

import os
import re
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any, Protocol

import torch
from torch import nn

from nasengine.errors import NasError, did_you_mean
from nasengine.hardware import onnx_runtime
from nasengine.hardware.onnx_runtime import OnnxRuntime
from nasengine.hardware.timing import Timing
from nasengine.hardware.torch_devices import Cpu, Cuda, cpu_model

_FORM = re.compile(r"([A-Za-z_]\w*)(?::(\d+))?(?:\(batch=([1-9]\d*)\))?")


class Device(Protocol):
    """Something that runs networks, here and now."""

    def facts(self) -> dict[str, Any]:
        """The fingerprint: everything that the milliseconds belong to."""

    def time(self, module: nn.Module, inputs: Sequence[Sequence[int]]) -> Timing:
        """Measure a forward pass of a module on values of these shapes (without the batch)."""


def find(name: str, others: Sequence[str] = ()) -> Device:
    """The device of a name; raises NasError where there is none. `others` are names that are allowed there as well."""
    match = _FORM.fullmatch(name)
    kind = match[1] if match else name
    if match is None or kind not in _KINDS:
        known = [*_KINDS, *others]
        raise NasError(
            f'device "{name}": there are {", ".join(known)}; cpu:2 and onnxruntime:2 set threads, cuda:1 says which '
            f"GPU, cpu(batch=16) runs 16 images at a time.{did_you_mean(kind, known)}"
        )
    return _KINDS[kind](name, None if match[2] is None else int(match[2]), int(match[3] or 1))


def is_measured(name: str) -> bool:
    """Whether a device's name is one of those that are measured on this machine, there or not."""
    return re.split(r"[:(]", name)[0] in _KINDS


def here() -> list[tuple[str, str]]:
    """The devices of this machine, each with what it is."""
    found = [("cpu", f"{cpu_model()}, torch {torch.__version__}, {torch.get_num_threads()} threads")]
    if not onnx_runtime.missing():
        found.append(("onnxruntime", f"{cpu_model()}, ONNX Runtime {version('onnxruntime')}"))
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return found + [(f"cuda:{number}", torch.cuda.get_device_name(number)) for number in range(gpus)]


def _cpu(name: str, threads: int | None, batch: int) -> Cpu:
    return Cpu(_threads(name, threads), batch)


def _onnx(name: str, threads: int | None, batch: int) -> OnnxRuntime:
    if absent := onnx_runtime.missing():
        raise NasError(
            f"device {name}: not installed: {', '.join(absent)}; there are {_names()}; "
            "for this one: pip install 'nasengine[export]'"
        )
    return OnnxRuntime(_threads(name, threads), batch)


def _cuda(name: str, number: int | None, batch: int) -> Cuda:
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    number = number or 0
    if number >= count:
        advice = "give one of these" if count else "a torch with CUDA (https://pytorch.org) and an NVIDIA GPU bring it"
        raise NasError(
            f'device "{name}": torch {torch.__version__} sees {count or "no"} CUDA devices; there are {_names()}; '
            f"{advice}"
        )
    return Cuda(number, torch.device("cuda", number), batch)


def _threads(name: str, threads: int | None) -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if threads is not None and not 1 <= threads <= cores:
        raise NasError(f'device "{name}": {threads} threads came; this process has 1 to {cores} cores to use')
    return threads or torch.get_num_threads()


def _names() -> str:
    return ", ".join(name for name, _ in here())


_KINDS: dict[str, Callable[[str, int | None, int], Device]] = {"cpu": _cpu, "onnxruntime": _onnx, "cuda": _cuda}
