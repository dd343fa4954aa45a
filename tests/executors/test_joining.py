"""Workers and drivers that find and lose each other: from outside, with a wrong key, after a death."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nasengine.errors import NasError
from nasengine.executors import _post
from nasengine.executors._terms import Terms
from nasengine.executors.local import Local
from tests.executors.test_local import job, pids, results

ROOT = Path(__file__).parents[2]
OPEN = Terms(workers=2, cores_per_worker=1, address="127.0.0.1:0")
DRIVER = """
import sys
from pathlib import Path
from nasengine.executors._terms import Terms
from nasengine.executors.local import Local
from tests.executors.test_local import job, pids
terms, said = Terms(workers=2, cores_per_worker=1), lambda job, values: print("epoch", flush=True)
executor = Local(Path(sys.argv[1]), terms, on_epoch=said)
executor.submit(job(0, epochs=1000, pause=0.1))
executor.submit(job(1, epochs=1000, pause=0.1))
print(*pids(executor), flush=True)
executor.next()
"""


@contextmanager
def worker(file: Path, *flags: str) -> Iterator[subprocess.Popen[str]]:
    """A worker started from outside, as by a batch system."""
    command = [sys.executable, "-m", "nasengine.cli", "worker", str(file), *flags]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def soon(true: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether it comes true in time."""
    patience = time.monotonic() + seconds
    while not true() and time.monotonic() < patience:
        time.sleep(0.02)
    return true()


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_workers_come_by_themselves_stay_for_the_next_driver_or_go(tmp_path: Path) -> None:
    file, notes = tmp_path / "workers.json", list[str]()
    with worker(file, "--stay") as staying:
        with Local(tmp_path, OPEN, on_note=notes.append) as executor:
            assert notes == [f"waiting for workers: nasengine worker {file}"]
            assert file.stat().st_mode & 0o777 == 0o600, "the key is nobody else's"
            executor.submit(job(0, pause=1.0))
            executor.submit(job(1, pause=1.0))
            with worker(file) as other:
                found = {came.number: result for came, result in (executor.next(), executor.next())}
                assert {int(result.values["process"]) for result in found.values()} == {staying.pid, other.pid}
                os.kill(other.pid, signal.SIGKILL)
            assert pids(executor) == [], "none was started here"
            assert results(executor, job(2), job(3)).keys() == {2, 3}
        assert staying.poll() is None
        with Local(tmp_path, OPEN) as executor, worker(file) as other:
            executor.submit(job(4, pause=1.0))
            executor.submit(job(5, pause=1.0))
            assert {int(executor.next()[1].values["process"]) for _ in range(2)} == {staying.pid, other.pid}
            executor.__exit__(None, None, None)
            assert other.wait(timeout=10) == 0


def test_a_worker_that_was_thought_to_hang_comes_back_if_it_stays(tmp_path: Path) -> None:
    terms = Terms(address="127.0.0.1:0", job_timeout=1.0)
    with Local(tmp_path, terms) as executor, worker(tmp_path / "workers.json", "--stay") as staying:
        found = results(executor, job(0, epochs=3, pause=0.8), job(1))
    assert "timeout" in str(found[0].error)
    assert (found[1].error, found[1].values["process"]) == (None, staying.pid)


def test_two_workers_of_one_name_are_two(tmp_path: Path) -> None:
    with Local(tmp_path, OPEN) as executor:
        facts = _post.read(tmp_path / "workers.json")
        lines = [_post.call(facts) for _ in range(2)]
        for line in lines:
            _post.tell(line, {"name": "twin"})
        executor.submit(job(0))
        executor.submit(job(1))
        assert soon(lambda: executor._assign() or _heard(executor) == 2)
        numbers = set()
        for line in lines:
            message = _post.heard(line)
            numbers.add(message["job"]["number"])
            line.close()
        assert numbers == {0, 1}


def _heard(executor: Local) -> int:
    """Let it hear who came; returns how many work."""
    for name, message in executor.crew.hear(0.05):
        executor._HEARD[message["kind"]](executor, name, message)
    executor._assign()
    return len(executor.running)


def test_who_has_not_the_key_is_refused_and_disturbs_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Local(tmp_path, OPEN) as executor:
        facts = _post.read(tmp_path / "workers.json")
        with pytest.raises(ConnectionRefusedError, match="another driver is at 127.0.0.1"):
            _post.call({**facts, "key": "00" * 32})
        place = tuple(facts["address"])
        with socket.create_connection(place) as silent, socket.create_connection(place) as loud:
            loud.sendall(b"GET / HTTP/1.0\r\n\r\n")
            silent.sendall(b"")
            with worker(tmp_path / "workers.json"):
                assert results(executor, job(0))[0].error is None
        assert len(executor.workers) == 1


def test_who_says_nothing_is_hung_up_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_post, "PATIENCE", 1.0)
    office = _post.Office(tmp_path / "workers.json", {})
    with socket.create_connection(tuple(office.facts["address"])) as silent:
        silent.settimeout(10)
        assert silent.recv(100) != b"", "the challenge"
        assert silent.recv(100) == b""
    office.close()
    with pytest.raises(OSError):
        _post.call(office.facts)


def test_when_the_driver_is_killed_its_workers_end_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", DRIVER, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as driver:
        assert driver.stdout is not None
        workers = [int(pid) for pid in driver.stdout.readline().split()]
        assert len(workers) == 2 and driver.stdout.readline() == "epoch\n", "one works; the other may not have begun"
        driver.kill()
    assert soon(lambda: not any(map(is_running, workers)), 5)


def test_a_worker_whose_driver_died_before_it_called_does_not_serve_the_next_one(tmp_path: Path) -> None:
    office = _post.Office(tmp_path / "workers.json", {"folder": str(tmp_path), "threads": 1, "data": None})
    facts = json.dumps(office.facts)
    office.close()
    with Local(tmp_path, OPEN) as executor:
        command = [sys.executable, "-m", "nasengine.executors._join", "worker-1"]
        done = subprocess.run(command, cwd=ROOT, input=facts + "\n", capture_output=True, text=True, timeout=20)
        assert done.returncode != 0 and "ConnectionRefusedError" in done.stderr
        assert _heard(executor) == 0 and not executor.workers


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("nonsense", "give HOST:PORT"),
        ("127.0.0.1:99999", "give HOST:PORT"),
        ("203.0.113.7:5555", "assign requested address"),
    ],
)
def test_an_address_that_cannot_be_listened_on_is_said(tmp_path: Path, address: str, words: str) -> None:
    with pytest.raises(NasError, match=f"executor local: address {address} came.*{words}"):
        Local(tmp_path, Terms(address=address))


def test_a_worker_without_a_driver_is_told_so(tmp_path: Path) -> None:
    with worker(tmp_path / "workers.json") as lonely:
        _, error = lonely.communicate(timeout=20)
    assert lonely.returncode == 2 and "begin that first, or wait for it with --stay" in error
