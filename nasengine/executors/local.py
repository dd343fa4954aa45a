"""Run jobs in several processes of this machine, or in workers that come by themselves, such as a Slurm array's."""

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import nasengine
from nasengine.errors import NasError
from nasengine.executors._pool import Pool
from nasengine.executors._post import Office
from nasengine.executors._terms import Terms
from nasengine.job import Job, Json

POLL_SECONDS = 0.2  # between two looks at processes that have not called yet
SIGKILL = -9


class Local(Pool):
    """Workers are processes that call the driver over a socket; `terms.workers` of them are started here.

    With `terms.address` (HOST:PORT, to listen on) none is started: workers come by `nasengine worker FILE`, where FILE
    is `workers.json` in `folder`, which they must see as well.
    """

    def __init__(
        self,
        folder: Path,
        terms: Terms = Terms(),  # noqa: B008  (frozen)
        *,
        dataset: Any = None,
        on_epoch: Callable[[Job, Mapping[str, Any]], bool | None] | None = None,
        on_note: Callable[[str], None] = lambda text: None,
    ):
        _check_gpus(terms)
        crew = _Processes(folder.absolute(), terms, dataset)
        if terms.address is not None:
            on_note(f"waiting for workers: nasengine worker {crew.office.file}")
        super().__init__(crew, terms, on_epoch, on_note)


class _Processes:
    def __init__(self, folder: Path, terms: Terms, dataset: Any):
        self.folder, self.terms = folder, terms
        facts: Json = {"folder": str(folder), "data": _written(dataset, folder), "files": terms.files}
        facts |= {"threads": terms.threads(), "all_threads": replace(terms, workers=1).threads()}
        self.office = Office(folder / "workers.json", facts, terms.address)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}  # by name
        self.desks: dict[str, int] = {}  # by name: which share of the GPUs
        self.numbers = count(1)
        self.killed_for_memory = _memory_kills()

    def hire(self) -> None:
        if self.terms.address is not None:
            return  # they come by themselves
        name = f"worker-{next(self.numbers)}"
        taken = {self.desks[one] for one in self.processes}
        self.desks[name] = next(desk for desk in count() if desk not in taken)
        log = self.folder / "workers" / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "nasengine.executors._join", name],
                stdin=subprocess.PIPE, stdout=output, stderr=output, start_new_session=True,
                env=self._environment(self.desks[name]),
            )  # fmt: skip
        self.processes[name] = process
        assert process.stdin is not None
        with suppress(BrokenPipeError), process.stdin as pipe:
            pipe.write(json.dumps(self.office.facts).encode() + b"\n")

    def _environment(self, desk: int) -> dict[str, str]:
        """One thread per core of its share, the folder this package was imported from, and its share of the GPUs."""
        root = str(Path(nasengine.__file__).parents[1])
        path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
        more = {"PYTHONPATH": path, "OMP_NUM_THREADS": str(self.terms.threads()), "OMP_WAIT_POLICY": "PASSIVE"}
        share = self.terms.gpus_per_worker
        if share:
            shown = [one for one in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if one]
            first, many = int(desk * share), max(int(share), 1)
            devices = [str(number) for number in range(first, first + many)]
            more |= {"NASENGINE_GPUS": str(share)}
            more |= {"CUDA_VISIBLE_DEVICES": ",".join(shown[first : first + many] if shown else devices)}
        return {**os.environ, **more}

    def send(self, worker: Any, message: Json) -> None:
        self.office.tell(worker, message)

    def dismiss(self, worker: Any) -> None:
        self.office.hang_up(worker)
        process = self.processes.pop(worker, None)
        if process is not None:
            process.kill()
            process.wait()

    def hear(self, seconds: float | None) -> Sequence[tuple[str, Json]]:
        silent = [name for name in self.processes if name not in self.office.calls]
        if silent:
            seconds = POLL_SECONDS if seconds is None else min(seconds, POLL_SECONDS)
        said: list[tuple[str, Json]] = []
        for name, message in self.office.hear(seconds):
            said.append((name, self._gone(name) if message is None else message))
        for name in silent:
            if name not in self.office.calls and name in self.processes and self.processes[name].poll() is not None:
                said.append((name, self._gone(name)))
        return said

    def _gone(self, name: str) -> Json:
        """Why a worker is no more there."""
        process = self.processes.pop(name, None)
        if process is None:
            return {"kind": "gone", "reason": f"worker {name} hung up"}
        try:
            code = process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        kills = _memory_kills()
        memory = code == SIGKILL and kills > self.killed_for_memory
        self.killed_for_memory = kills
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        why = ", for the machine ran out of memory" if memory else self._last_words(name)
        return {"kind": "gone", "reason": f"{name} {how}{why}", "memory": memory}

    def _last_words(self, name: str) -> str:
        log = self.folder / "workers" / f"{name}.log"
        lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
        return f" ({lines[-1][:300]})" if lines else ""

    def close(self) -> None:
        self.office.close()
        for process in self.processes.values():
            process.kill()
        for process in self.processes.values():
            process.wait()


def _check_gpus(terms: Terms) -> None:
    if not terms.gpus_per_worker:
        return
    import torch

    there, wanted = torch.cuda.device_count(), math.ceil(terms.workers * terms.gpus_per_worker)
    if terms.address is None and there < wanted:
        raise NasError(
            f"executor local: {terms.workers} workers with {terms.gpus_per_worker:g} GPUs each came; this machine has "
            f"{there} GPUs; give fewer --workers, or a smaller --gpus-per-worker"
        )


def _written(dataset: Any, folder: Path) -> str | None:
    """Where a data set lies for all workers to map."""
    if dataset is None:
        return None
    from nasengine.training.mapped import write

    return str(write(dataset, folder / "data" / f"{dataset.fingerprint[:16]}.safetensors"))


def _memory_kills() -> int:
    """How many processes the kernel has killed for want of memory, as far as it says."""
    try:
        lines = dict(line.split() for line in Path("/proc/vmstat").read_text().splitlines())
    except OSError:
        return 0
    return int(lines.get("oom_kill", 0))
