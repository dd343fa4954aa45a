"""A warm worker trains one network after the other, and its memory stays where it was."""

import ctypes
import gc
import random
from pathlib import Path

import pytest
import torch

from nasengine import plugins
from nasengine.evaluators import train
from nasengine.job import Job
from nasengine.training import data
from nasengine.training.recipe import recipe

STATUS = Path("/proc/self/status")
SETTINGS = {"input": (1, 8, 8), "channels": 4, "layers": 2}


def held() -> tuple[float, int]:
    """The process's memory in MB, and its tensors, after all that can be given back was given back."""
    gc.collect()
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):  # glibc keeps freed memory otherwise
        libc.malloc_trim(0)
    resident = next(int(line.split()[1]) for line in STATUS.read_text().splitlines() if line.startswith("VmRSS"))
    return resident / 1024, sum(issubclass(type(thing), torch.Tensor) for thing in gc.get_objects())


@pytest.mark.skipif(not STATUS.exists(), reason="needs /proc to see the process's memory")
def test_memory_stays_flat_over_a_hundred_trainings(tmp_path: Path) -> None:
    space, dataset = plugins.load_space("darts", SETTINGS), data.load("digits", limit=100)
    chosen, memory = recipe("proxy", epochs=1).to_json(), []
    for number in range(100):
        picks = space.sample(random.Random(number)).to_json()
        fidelity = {"limit": 100, "share": 0.9 - number % 3 / 10}
        job = Job(number, "darts", SETTINGS, picks, "train", chosen, "digits", fidelity, number)
        names = tmp_path / f"{number}.pt", tmp_path / f"{number}.safetensors"
        result = train.evaluate(job, space, dataset, checkpoint=names[0], weights_to=names[1])
        assert result.error is None
        if number % 10 == 9:
            memory.append(held())
    (first, tensors), later = memory[0], memory[1:]
    assert max(size for size, _ in later) < 1.05 * first, memory
    assert all(count == tensors for _, count in later), memory
