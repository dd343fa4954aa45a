"""What a piece of work took: core-seconds, seconds of a share of GPUs, and the GPUs' energy where they tell it."""

import importlib
import math
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any


@contextmanager
def measured(*, gpus: float = 0.0) -> Iterator[dict[str, float]]:
    """Measure a block, which holds `gpus` GPUs or a share of one; the dict is filled when it ends, or fails.

    `core_seconds` is the time of all threads of this process and of child processes that ended. `gpu_seconds` is the
    time that went by, times the GPUs held; a block that was promised none, and computes on one, holds one. `joules` is
    the energy of these GPUs by the same share, where NVIDIA's management library is installed (nvidia-ml-py) and the
    GPU has such a meter. A GPU's energy is all it used meanwhile: what others compute on it is shared out evenly.
    """
    cost: dict[str, float] = {}
    meters = _meters(max(math.ceil(gpus), 1)) if gpus or _may_use_gpu() else []
    cores, energy, began = _core_seconds(), _energy(meters), time.monotonic()
    try:
        yield cost
    finally:
        cost["core_seconds"] = _core_seconds() - cores
        held = gpus or float(_uses_gpu())
        if held:
            cost["gpu_seconds"] = (time.monotonic() - began) * held
        used = _energy(meters)
        if held and energy is not None and used is not None:
            cost["joules"] = (used - energy) * held / len(meters)


def _core_seconds() -> float:
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def _may_use_gpu() -> bool:
    torch = sys.modules.get("torch")  # to import it would cost more than most of what is measured
    return torch is not None and bool(torch.cuda.is_available())


def _uses_gpu() -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and bool(torch.cuda.is_initialized())


@lru_cache(maxsize=1)
def _nvml() -> Any:
    """NVIDIA's management library, ready for questions; None where it or its driver is missing."""
    try:
        nvml = importlib.import_module("pynvml")
    except ImportError:
        return None
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        return None
    return nvml


def _meters(count: int) -> list[Any]:
    """The first `count` GPUs that this process sees, from its current one on; none where they cannot be asked."""
    nvml = _nvml()
    if nvml is None:
        return []
    first = sys.modules["torch"].cuda.current_device() if _uses_gpu() else 0
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    try:
        if visible is None:
            names = [str(place) for place in range(nvml.nvmlDeviceGetCount())]
        else:
            names = [name.strip() for name in visible.split(",") if name.strip()]
        return [
            nvml.nvmlDeviceGetHandleByIndex(int(name)) if name.isdigit() else nvml.nvmlDeviceGetHandleByUUID(name)
            for name in names[first : first + count]
        ]
    except nvml.NVMLError:
        return []


def _energy(meters: list[Any]) -> float | None:
    """The joules of these GPUs since their driver was loaded; None where one of them has no meter."""
    nvml = _nvml() if meters else None
    if nvml is None:
        return None
    try:
        return float(sum(nvml.nvmlDeviceGetTotalEnergyConsumption(meter) for meter in meters)) / 1000
    except nvml.NVMLError:
        return None
