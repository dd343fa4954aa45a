"""The README's section "On many workers", followed word for word on one machine, and one of the two nodes dies."""

import os
import re
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from nasengine.ledger import Ledger

README = Path(__file__).parents[2] / "README.md"
TRIALS = 24
# trains nothing, and says on which node
EVALUATOR = """
import os, time
from nasengine.job import Result

def evaluate(job, space, dataset=None, *, on_epoch=None, checkpoint=None, weights_to=None):
    import ray
    node = float(int(ray.get_runtime_context().get_node_id()[:8], 16))
    for epoch in range(4):
        time.sleep(0.15)
        on_epoch({"epoch": epoch + 1.0})
    return Result(job.number, job.architecture, values={"validation_accuracy": job.number / 100, "node": node})
"""


def commands() -> list[list[str]]:
    """The two `ray start` and the search of the README."""
    section = README.read_text().partition("## On many workers")[2]
    (block,) = re.findall(r"```bash\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    assert "export RAY_AUTH_MODE=token RAY_AUTH_TOKEN=" in block
    return [shlex.split(line, comments=True) for line in block.splitlines() if line.startswith(("ray", "nasengine"))]


def family(pid: int) -> list[int]:
    """A process and all that it started."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a node as a power cut would."""
    for pid in family(process.pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


class Nodes:
    """The README's commands, with a free port, small sizes and a folder of their own."""

    def __init__(self, folder: Path):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = str(free.getsockname()[1])
        token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        outside = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        here = {"RAY_TMPDIR": str(folder), "RAY_USAGE_STATS_ENABLED": "0", "PYTHONWARNINGS": "ignore"}
        self.environment = {**outside, **token, **here}
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, command: list[str], *more: str, **words: Any) -> subprocess.Popen[bytes]:
        program = str(Path(sys.executable).with_name(command[0]))
        line = [program, *(word.replace("6379", self.port) for word in command[1:]), *more]
        self.processes.append(subprocess.Popen(line, env=self.environment, **words))
        return self.processes[-1]

    def wait_for(self, line: str, log: Path) -> None:
        limit = time.monotonic() + 60
        while line not in log.read_text():
            assert time.monotonic() < limit and self.processes[-1].poll() is None, log.read_text()
            time.sleep(0.1)


@pytest.fixture
def nodes() -> Iterator[Nodes]:
    folder = Path(tempfile.mkdtemp(prefix="ray-"))  # short: it is where sockets are
    nodes = Nodes(folder)
    try:
        yield nodes
    finally:
        for process in nodes.processes:
            kill(process)
        shutil.rmtree(folder, ignore_errors=True)


def test_a_search_over_two_nodes_survives_the_loss_of_one(nodes: Nodes, tmp_path: Path) -> None:
    first, second, search = commands()
    small = ["--num-cpus=2", "--object-store-memory=100000000", "--block"]
    for number, (command, more) in enumerate(((first, ["--include-dashboard=false"]), (second, []))):
        log = tmp_path / f"node{number}"
        with log.open("wb") as output:
            nodes.start(command, *small, *more, stdout=output, stderr=output)
        nodes.wait_for("Ray runtime started", log)
    (tmp_path / "node.py").write_text(EVALUATOR)
    words = ["--trials", str(TRIALS), "--evaluator", "./node.py", "--limit", "100", "--recipe.epochs", "1"]
    words += ["--space.channels", "2", "--space.layers", "1", "--strategy.population", "4", "--strategy.sample", "2"]
    with (tmp_path / "log").open("wb") as output:
        driver = nodes.start(search, *words, cwd=tmp_path, stdout=output, stderr=output)
    try:
        lose_a_node(nodes, tmp_path / "results" / "nasengine.db", driver)
        assert driver.wait(100) == 0
    finally:
        print((tmp_path / "log").read_text())
    with Ledger(tmp_path / "results" / "nasengine.db") as ledger:
        rows = ledger.results("first")
        assert ledger.check() == []
        faults = [row["text"] for row in ledger.remarks("first") if row["kind"] == "fault"]
    candidates = [row for row in rows if row["kind"] == "candidate"]
    assert sorted(row["trial"] for row in candidates) == list(range(TRIALS))
    assert {row["state"] for row in candidates} == {"complete"}
    assert [row["state"] for row in rows if row["kind"] == "final"] == ["complete"]
    assert len({row["values"]["node"] for row in candidates}) == 2
    again = [row for row in candidates if row["cost"]["attempts"] == 2]
    assert 1 <= len(again) <= 2 and len(faults) == len(again)  # at most the two jobs that ran there


def lose_a_node(nodes: Nodes, file: Path, driver: subprocess.Popen[bytes]) -> None:
    """Kill the second node when both have had results."""
    seen: set[float] = set()
    limit = time.monotonic() + 90
    while len(seen) < 2:
        assert time.monotonic() < limit and driver.poll() is None
        time.sleep(0.2)
        if file.exists():
            with Ledger(file) as ledger, suppress(Exception):
                seen = {row["values"]["node"] for row in ledger.results("first") if row["state"] == "complete"}
    kill(nodes.processes[1])
