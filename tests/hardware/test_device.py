"""Devices by name, and what is said of those that are not there."""

import os

import pytest
import torch

from nasengine.errors import NasError
from nasengine.hardware import onnx_runtime
from nasengine.hardware.device import find, here, is_measured
from nasengine.hardware.onnx_runtime import OnnxRuntime
from nasengine.hardware.torch_devices import Cpu, Cuda


def test_names_of_the_processor() -> None:
    assert find("cpu") == Cpu(torch.get_num_threads())
    assert find("cpu:1") == Cpu(1)
    assert find("cpu:1(batch=16)") == Cpu(1, 16)
    assert find("cpu(batch=16)") == Cpu(torch.get_num_threads(), 16)


def test_threads_beyond_the_cores_are_refused() -> None:
    for threads in (0, (os.cpu_count() or 1) + 1):
        with pytest.raises(NasError, match=f'device "cpu:{threads}": {threads} threads came; this process has 1 to'):
            find(f"cpu:{threads}")


def test_an_unknown_name_gets_the_nearest_one() -> None:
    with pytest.raises(
        NasError, match=r'device "onnx-runtime": there are cpu, onnxruntime, cuda, pi; .*"onnxruntime"\?'
    ):
        find("onnx-runtime", ["pi"])
    with pytest.raises(NasError, match='Did you mean "raspi4"'):
        find("raspi5", ["raspi4"])
    assert is_measured("cpu:2") and is_measured("cuda(batch=8)") and not is_measured("cpux")


def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_runtime.importlib.util, "find_spec", lambda name: None if "onnx" in name else object())
    with pytest.raises(NasError, match=r"not installed: onnx, onnxscript, onnxruntime; .*nasengine\[export\]"):
        find("onnxruntime")
    assert "onnxruntime" not in dict(here())


def test_a_missing_gpu_says_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(NasError, match=r'device "cuda": torch .* sees no CUDA devices; there are cpu.*pytorch.org'):
        find("cuda")


def test_gpus_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda number: f"Fake {number}")
    assert find("cuda") == Cuda(0, torch.device("cuda:0"))
    assert find("cuda:1(batch=64)") == Cuda(1, torch.device("cuda:1"), 64)
    with pytest.raises(NasError, match=r"sees 2 CUDA devices; there are cpu.*, cuda:0, cuda:1; give one of these"):
        find("cuda:2")
    assert dict(here())["cuda:1"] == "Fake 1"


@pytest.mark.skipif(bool(onnx_runtime.missing()), reason="nasengine[export] is not installed")
def test_onnx_runtime_has_threads_as_well() -> None:
    assert find("onnxruntime:1(batch=2)") == OnnxRuntime(1, 2)
    facts = find("onnxruntime:1").facts()
    assert (facts["device"], facts["threads"]) == ("onnxruntime", 1) and facts["onnxruntime"]
