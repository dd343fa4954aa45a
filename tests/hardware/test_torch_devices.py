"""Measuring through torch: what runs, with how many threads, and when a GPU's clock is read."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nasengine.hardware.torch_devices import Cpu, Cuda, cpu_model, driver, threads


class Watched(nn.Module):
    """Notes how it is run."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[Any] = set()

    def forward(self, x: Tensor) -> Tensor:
        self.seen.add((tuple(x.shape), x.dtype, torch.get_num_threads(), torch.is_inference_mode_enabled()))
        return x


def test_the_processor_runs_a_batch_in_inference_mode_with_its_threads() -> None:
    module, before = Watched(), torch.get_num_threads()
    timing = Cpu(1, batch=4).time(module, [(3, 8, 8)])
    assert module.seen == {((4, 3, 8, 8), torch.float32, 1, True)}
    assert 0 < timing.low <= timing.median <= timing.high and timing.runs >= 50
    assert torch.get_num_threads() == before


def test_threads_are_as_before_after_an_error() -> None:
    before = torch.get_num_threads()
    with pytest.raises(RuntimeError, match="stop"), threads(before + 1):
        assert torch.get_num_threads() == before + 1
        raise RuntimeError("stop")
    assert torch.get_num_threads() == before


def test_the_fingerprint_tells_processors_threads_and_batches_apart() -> None:
    facts = Cpu(1).facts()
    assert facts == {**facts, "device": "cpu", "threads": 1, "batch": 1, "dtype": "float32", "torch": torch.__version__}
    assert facts["model"] == cpu_model() != ""
    assert Cpu(2).facts() != facts != Cpu(1, 2).facts()


class Gpu:
    """Stands in for torch.cuda: work is queued, and an event has a time only once the queue was waited for."""

    def __init__(self) -> None:
        self.now, self.queue = 0.0, []
        gpu = self

        class Event:
            def __init__(self, enable_timing: bool) -> None:
                assert enable_timing
                self.at: float | None = None

            def record(self) -> None:
                gpu.queue.append(self)

            def elapsed_time(self, other: "Event") -> float:
                assert self.at is not None and other.at is not None, "read before the GPU was waited for"
                return other.at - self.at

        self.Event = Event

    def work(self, milliseconds: float) -> None:
        self.queue.append(milliseconds)

    def synchronize(self, number: int) -> None:
        assert number == 0
        for one in self.queue:
            if isinstance(one, float):
                self.now += one
            else:
                one.at = self.now
        self.queue.clear()


def test_a_gpu_is_timed_by_events_and_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = Gpu()
    monkeypatch.setattr(torch.cuda, "Event", gpu.Event)
    monkeypatch.setattr(torch.cuda, "synchronize", gpu.synchronize)

    class Module(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            assert torch.is_inference_mode_enabled() and len(x) == 2
            gpu.work(3.0)
            return x

    gpu.work(500.0)  # of somebody before, which must not count
    timing = Cuda(0, torch.device("cpu"), batch=2).time(Module(), [(1, 4, 4)])
    assert (timing.low, timing.median, timing.high, timing.runs) == (3.0, 3.0, 3.0, 50)


def test_a_gpus_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda number: f"Fake {number}")
    monkeypatch.setattr("nasengine.hardware.torch_devices.driver", lambda: "580.1")
    facts = Cuda(1, torch.device("cpu")).facts()
    assert (facts["device"], facts["model"], facts["driver"]) == ("cuda", "Fake 1", "580.1")


def test_a_driver_that_cannot_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert driver() == "unknown"
