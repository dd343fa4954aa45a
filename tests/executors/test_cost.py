"""What a piece of work took, measured where there is no GPU and where there are made-up ones."""

import hashlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace

import pytest

from nasengine.executors import _cost
from nasengine.executors._cost import measured


class Driver(ModuleType):
    """NVML with GPUs whose meters run at 100 W, 200 W, … by a clock that the test moves."""

    class NVMLError(Exception):
        pass

    def __init__(self, gpus: int = 2):
        super().__init__("pynvml")
        self.gpus, self.clock, self.asked = gpus, 0.0, []

    def nvmlInit(self) -> None:
        if self.gpus == 0:
            raise self.NVMLError("driver not loaded")

    def nvmlDeviceGetCount(self) -> int:
        return self.gpus

    def nvmlDeviceGetHandleByIndex(self, place: int) -> int:
        if place >= self.gpus:
            raise self.NVMLError("invalid argument")
        return place

    def nvmlDeviceGetHandleByUUID(self, name: str) -> int:
        return {"GPU-aa": 0, "GPU-bb": 1}[name]

    def nvmlDeviceGetTotalEnergyConsumption(self, place: int) -> int:
        self.asked.append(place)
        return int(1000 * 100 * (place + 1) * self.clock)


def torch_with(initialized: bool, current: int = 0) -> SimpleNamespace:
    """What of torch is asked for its use of GPUs."""
    return SimpleNamespace(
        cuda=SimpleNamespace(
            is_available=lambda: True, is_initialized=lambda: initialized, current_device=lambda: current
        )
    )


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Driver]:
    made = Driver()
    monkeypatch.setitem(sys.modules, "pynvml", made)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    _cost._nvml.cache_clear()
    yield made
    _cost._nvml.cache_clear()


@pytest.fixture
def no_driver(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    _cost._nvml.cache_clear()
    yield
    _cost._nvml.cache_clear()


def work(seconds: float) -> None:
    began = time.thread_time()
    while time.thread_time() - began < seconds:
        hashlib.sha256(b"x" * 10000).digest()


def test_core_seconds_are_those_of_all_threads_and_children_not_of_sleep(no_driver: None) -> None:
    with measured() as slept:
        time.sleep(0.2)
    with measured() as cost:
        threads = [threading.Thread(target=work, args=(0.15,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    code = "import time\nwhile time.process_time() < 0.3: pass"
    with measured() as of_child:
        subprocess.run([sys.executable, "-c", code], check=True)
    assert slept["core_seconds"] < 0.1
    assert 0.29 < cost["core_seconds"] < 0.6
    assert of_child["core_seconds"] > 0.25
    assert set(slept) == set(cost) == {"core_seconds"}


def test_a_promised_share_counts_by_the_clock(no_driver: None) -> None:
    with measured(gpus=0.5) as cost:
        time.sleep(0.2)
    assert 0.1 <= cost["gpu_seconds"] < 0.2
    assert "joules" not in cost


@pytest.mark.parametrize(
    ("gpus", "joules"),
    [(0.5, 500), (1, 1000), (2, 3000), (1.5, 2250)],
)
def test_energy_is_that_of_the_gpus_held_by_their_share(driver: Driver, gpus: float, joules: float) -> None:
    with measured(gpus=gpus) as cost:
        driver.clock += 10
    assert cost["joules"] == pytest.approx(joules)


@pytest.mark.parametrize("visible", ["1", "GPU-bb", " 1 ,0"])
def test_only_visible_gpus_are_asked(driver: Driver, visible: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    with measured(gpus=1) as cost:
        driver.clock += 10
    assert cost["joules"] == pytest.approx(2000)
    assert set(driver.asked) == {1}


@pytest.mark.parametrize("visible", ["", "7"])
def test_without_a_gpu_that_can_be_asked_there_is_no_energy(
    driver: Driver, visible: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    with measured(gpus=1) as cost:
        driver.clock += 10
    assert set(cost) == {"core_seconds", "gpu_seconds"}


def test_a_driver_that_is_not_loaded_or_a_gpu_without_meter_is_no_fault(driver: Driver) -> None:
    def refuse(meter: int) -> int:
        raise driver.NVMLError("not supported")

    driver.nvmlDeviceGetTotalEnergyConsumption = refuse  # type: ignore[method-assign]
    with measured(gpus=1) as unmetered:
        pass
    driver.gpus = 0
    _cost._nvml.cache_clear()
    with measured(gpus=1) as unloaded:
        pass
    assert set(unmetered) == set(unloaded) == {"core_seconds", "gpu_seconds"}


def test_what_computes_on_a_gpu_unasked_holds_one(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", torch_with(initialized=True, current=1))
    with measured() as used:
        driver.clock += 10
        time.sleep(0.05)
    assert used["joules"] == pytest.approx(2000), "the current one of two"
    assert used["gpu_seconds"] >= 0.05
    monkeypatch.setitem(sys.modules, "torch", torch_with(initialized=False))
    with measured() as unused:
        driver.clock += 10
    assert set(unused) == {"core_seconds"}


def test_what_fails_has_its_cost_too(no_driver: None) -> None:
    with pytest.raises(ValueError, match="odd"), measured(gpus=1) as cost:
        raise ValueError("odd")
    assert set(cost) == {"core_seconds", "gpu_seconds"}


def test_torch_is_not_imported_for_it() -> None:
    code = "import sys\nfrom nasengine.executors._cost import measured\nwith measured(gpus=1): pass\n"
    code += "print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
