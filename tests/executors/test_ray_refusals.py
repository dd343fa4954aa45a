"""What the Ray executor says when it cannot begin, and what it makes of Ray's own words about a death."""

import os
import secrets
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from nasengine.errors import NasError
from nasengine.executors._ray_cluster import _fit, _refused
from nasengine.executors._ray_desk import Actor
from nasengine.executors._terms import Terms
from nasengine.executors.ray import Ray, _reason
from nasengine.job import FORMAT


def test_a_cluster_with_too_little_is_refused(ray_cluster: str, tmp_path: Path) -> None:
    with pytest.raises(NasError, match="2 cores and 0.5 GPUs came; the largest of 1 nodes has 4 cores and 0 GPUs"):
        Ray(tmp_path, Terms(gpus_per_worker=0.5, cores_per_worker=2))
    with pytest.raises(NasError, match="5 cores and 0 GPUs came; .* give a smaller --cores-per-worker"):
        Ray(tmp_path, Terms(cores_per_worker=5))
    with pytest.raises(NasError, match="gpus_per_worker=1.5 came; give a share of one GPU, or a whole number"):
        Ray(tmp_path, Terms(gpus_per_worker=1.5))


def test_one_process_is_in_one_cluster(ray_cluster: str, tmp_path: Path) -> None:
    with pytest.raises(NasError, match=r"address 10.0.0.1:6379 came; this process is in .* already; ray.shutdown\(\)"):
        Ray(tmp_path, Terms(address="10.0.0.1:6379"))


def in_another_process(code: str, folder: Path, **environment: str) -> tuple[str, float]:
    """What a process of its own prints when the executor refuses, and the seconds from the call to that."""
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom nasengine.errors import NasError\n"
        "from nasengine.executors._terms import Terms\nfrom nasengine.executors.ray import Ray\n"
        f"began = time.monotonic()\ntry:\n    {code}\nexcept NasError as error:\n"
        "    print(error)\n    print(time.monotonic() - began)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True,
        timeout=60, check=True,
    )  # fmt: skip
    text, seconds = done.stdout.strip().splitlines()
    return text, float(seconds)


def test_an_address_where_nobody_answers_is_said_soon(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        text, seconds = in_another_process(f"Ray(Path('run'), Terms(address='127.0.0.1:{port}'))", tmp_path)
    assert f"no Ray cluster at 127.0.0.1:{port}" in text and "give auto, or HOST:PORT of the head node" in text
    assert seconds < 10


def test_a_wrong_token_is_said_soon(ray_cluster: str, tmp_path: Path) -> None:
    code, wrong = f"Ray(Path('run'), Terms(address='{ray_cluster}'))", secrets.token_hex(32)
    text, seconds = in_another_process(code, tmp_path, RAY_AUTH_TOKEN=wrong)
    assert "does not take this token; set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN" in text
    assert seconds < 10


def test_without_ray_and_with_another_version_of_it() -> None:
    code = "sys.modules['ray'] = None; Ray(Path('run'))"
    text, _ = in_another_process(code, Path.cwd())
    assert "Ray cannot be imported" in text and "pip install ray, or take --executor local" in text
    error = RuntimeError("Version mismatch: The cluster was started with:\n    Ray: 2.9.0\n    Python: 3.11.4")
    assert "Version mismatch: The cluster was started with: Ray: 2.9.0 Python: 3.11.4; install the same Ray" in str(
        _refused("auto", error)
    )


def test_a_node_without_nasengine_is_named() -> None:
    text = (
        "The actor died because of an error raised in its creation task, ray::Actor.__init__() (pid=67, ip=192.0.2.2, "
        "actor_id=c6)\nRuntimeError: The actor with name Actor failed to import on the worker.\n\n"
        "ModuleNotFoundError: No module named 'nasengine'"
    )
    with pytest.raises(NasError, match=r"node 192.0.2.2 has no nasengine \(ModuleNotFoundError.*; install it on every"):
        _reason(text)


def test_a_worker_that_ray_ended_for_want_of_memory_is_told_from_others(ray_cluster: str, tmp_path: Path) -> None:
    from ray.exceptions import ActorDiedError, OutOfMemoryError

    with Ray(tmp_path / "run") as executor:
        for error, memory in ((OutOfMemoryError("killed"), True), (ActorDiedError(), False)):
            gone = executor.crew._gone("worker-1", error)  # type: ignore[attr-defined]
            assert (gone["kind"], gone["memory"]) == ("gone", memory)
            assert ("its node ran low on memory" in gone["reason"]) == memory


def test_a_node_with_another_nasengine_is_said(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="install the driver's version of nasengine on every node"):
        Actor({"folder": str(tmp_path), "mark": "", "format": FORMAT + 1, "gpus": 0.0}, None)


def test_what_a_worker_died_of_is_a_sentence() -> None:
    died = (
        "The actor died unexpectedly before finishing this task.\n\tclass_name: Actor\n\tip: 10.0.0.1\n"
        "The actor is dead because its node has died. There are some potential root causes. (1) The process"
    )
    assert _reason(died) == "The actor is dead because its node has died."
    unborn = "The actor died because of an error raised in its creation task, ray::Actor\n  File x\nValueError: no"
    assert _reason(unborn) == "ValueError: no"


@pytest.mark.parametrize(
    ("cpu", "gpu", "cores", "gpus", "expected"),
    [(8, 0, 3, 0, 2), (8, 2, 1, 0.5, 4), (8, 2, 1, 0.6, 2), (3, 2, 1, 0.5, 3), (8, 5, 1, 2, 2), (8, 0, 1, 1, 0)],
)
def test_how_many_workers_fit_on_a_node(cpu: int, gpu: int, cores: int, gpus: float, expected: int) -> None:
    assert _fit({"CPU": cpu, "GPU": gpu}, cores, gpus) == expected
