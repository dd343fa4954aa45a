"""In which order a recording asks the device for things; the device itself is pretended."""

import contextlib
import gc
import inspect
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from nasengine.search.graphed_cuda import WARM_UP, Recorder

CUDA = torch.device("cuda", 0)


class Stream:
    """A stream that notes whom it waits for."""

    def __init__(self, name: str, told: list[str]):
        self.name, self.told = name, told

    def wait_stream(self, other: "Stream") -> None:
        self.told.append(f"{self.name} waits for {other.name}")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a pretended device is told."""
    told: list[str] = []
    side, present, arguments = Stream("side", told), Stream("present", told), inspect.signature(torch.cuda.graph)

    class Graph:
        def replay(self) -> None:
            told.append("replay")

    @contextlib.contextmanager
    def within(what: str) -> Iterator[None]:
        told.append(f"begin {what}")
        try:
            yield
        finally:
            told.append(f"end {what}")

    def be(mode: int | str) -> None:
        told.append(f"waiting: {mode}")

    def graph(*args: Any, **words: Any) -> Any:
        assert arguments.bind(*args, **words).arguments["pool"] == "pool" and words["stream"] is side
        return within("graph")

    monkeypatch.setattr(torch.cuda, "Stream", lambda device: side)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda: present)
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: within(stream.name))
    monkeypatch.setattr(torch.cuda, "device", lambda device: contextlib.nullcontext())
    monkeypatch.setattr(torch.cuda, "graph_pool_handle", lambda: "pool")
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", graph)
    monkeypatch.setattr(torch.cuda, "get_sync_debug_mode", lambda: 1)
    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", be)
    monkeypatch.setattr(gc, "collect", lambda: told.append("collect"))
    return told


def test_it_warms_up_on_a_side_stream_then_records_and_replays(told: list[str]) -> None:
    held = torch.zeros(()), torch.ones(2)

    def learn() -> tuple[Tensor, Tensor]:
        told.append("learn")
        return held

    repeat = Recorder(CUDA)(learn)
    last = ["waiting: error", "learn", "waiting: 1"]
    before = ["side waits for present", "begin side", *["learn"] * (WARM_UP - 1), *last, "present waits for side"]
    assert told == [*before, "collect", "begin graph", "learn", "end graph", "end side"]
    assert repeat() is held and told[-2:] == ["end side", "replay"]


@pytest.mark.parametrize("fails", [1, WARM_UP, WARM_UP + 1])
def test_a_failure_brings_the_present_stream_back(told: list[str], fails: int) -> None:
    def learn() -> tuple[Tensor, Tensor]:
        told.append("learn")
        if told.count("learn") == fails:
            raise RuntimeError("not permitted")
        return torch.zeros(()), torch.zeros(())

    with pytest.raises(RuntimeError, match="not permitted"):
        Recorder(CUDA)(learn)
    assert told[-1] == "end side" and "present waits for side" in told
    assert ("begin graph" in told) is (fails > WARM_UP)
    assert [word for word in told if "waiting" in word] == ["waiting: error", "waiting: 1"] * (fails >= WARM_UP)
