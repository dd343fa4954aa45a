"""A worker's process: it calls the driver, runs the jobs that come, and ends with the driver.

`nasengine worker FILE` calls the driver that wrote the file; with `--stay` it waits for the next one instead of ending.
Workers that a driver starts itself are told how to call it on their standard input, so that a worker whose driver died
meanwhile never finds the file of the next one.
"""

import json
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from nasengine import user_files
from nasengine.executors import _post
from nasengine.executors._worker import Worker
from nasengine.job import Job, Json

PAUSE = 1.0  # seconds between two calls for a driver


def join(file: Path, name: str | None = None, *, stay: bool = False, gpus: float = 0.0) -> int:
    """Work for the driver that wrote the file until it is gone; with `stay`, then for the next one. Returns 0."""
    name = name or f"{os.uname().nodename}-{os.getpid()}"
    while True:
        connection, facts = _reach(file, stay)
        Desk(connection, name, facts, gpus, stay).work()
        if not stay:
            return 0
        time.sleep(PAUSE)


def _reach(file: Path, stay: bool) -> tuple[Connection, Json]:
    """Reach the driver; while it is not there, wait: a little, or with `stay` for as long as it takes."""
    patience = time.monotonic() + _post.PATIENCE
    while True:
        try:
            facts = _post.read(file)
            return _post.call(facts), facts
        except (OSError, EOFError, ValueError):
            if not stay and time.monotonic() > patience:
                raise
            time.sleep(PAUSE)


class Desk:
    """One worker at one driver's service; a thread hears what the driver says while a job runs.

    When the driver is gone, what runs is of no use: the process ends at once, or with `stay` the job after its epoch.
    """

    def __init__(self, connection: Connection, name: str, facts: Json, gpus: float, stay: bool):
        self.connection, self.facts, self.stay = connection, facts, stay
        self.jobs: queue.SimpleQueue[Json | None] = queue.SimpleQueue()
        self.verdicts: queue.SimpleQueue[Json | None] = queue.SimpleQueue()
        self.gone = False
        os.environ.setdefault("OMP_NUM_THREADS", str(facts["threads"]))  # before torch is imported
        folder = Path(facts["folder"])
        self.worker = Worker(folder, dataset=_data(facts["data"]), gpus=gpus, files=facts["files"])
        self._say({"name": name})
        threading.Thread(target=self._listen, name="driver", daemon=True).start()

    def _listen(self) -> None:
        try:
            while True:
                message = _post.heard(self.connection)
                (self.jobs if message["kind"] == "job" else self.verdicts).put(message)
        except (EOFError, OSError):
            if not self.stay:
                os._exit(0)
            self.gone = True
            self.jobs.put(None)
            self.verdicts.put(None)

    def work(self) -> None:
        """Run jobs until the driver is gone."""
        while (message := self.jobs.get()) is not None:
            for pack in message["packs"]:
                user_files.accept(pack)
            job = Job.from_json(message["job"])
            if job.final:
                _use_threads(self.facts["all_threads"])  # it runs alone
            result = self.worker.run(job, self._epoch_of(message))
            if not self.gone:
                self._say({"kind": "result", "token": message["token"], "result": result.to_json()})

    def _epoch_of(self, message: Json) -> Any:
        """What hears of a job's epochs: tells the driver, and where that is asked for, waits for its word."""
        token = message["token"]

        def on_epoch(values: Mapping[str, Any]) -> bool:
            self._say({"kind": "epoch", "token": token, "values": dict(values)})
            stop = False
            while not self.gone and not stop and (message["verdicts"] or not self.verdicts.empty()):
                verdict = self.verdicts.get()
                if verdict is not None and verdict["token"] == token:
                    stop = verdict["stop"]
                    if message["verdicts"]:
                        break
            return stop or self.gone

        return on_epoch

    def _say(self, message: Json) -> None:
        try:
            _post.tell(self.connection, message)
        except OSError:
            self.gone = True


def _use_threads(number: int) -> None:
    import torch

    torch.set_num_threads(number)


def _data(path: str | None) -> Any:
    if path is None:
        return None
    from nasengine.training.mapped import read

    return read(Path(path))


def hired(name: str, gpus: float) -> None:
    """Work for the driver that started this process, until one of the two is gone."""
    facts = json.loads(sys.stdin.readline())
    os.dup2(os.open(os.devnull, os.O_RDONLY), sys.stdin.fileno())
    Desk(_post.call(facts), name, facts, gpus, stay=False).work()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the driver's to answer
    hired(sys.argv[1], float(os.environ.get("NASENGINE_GPUS", 0.0)))
