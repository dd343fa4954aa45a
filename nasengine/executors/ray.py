"""Run jobs on a Ray cluster: on this machine, or on as many as there are, with GPUs whole or shared."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from secrets import token_hex
from typing import Any

from nasengine.errors import NasError
from nasengine.executors._pool import Pool
from nasengine.executors._ray_cluster import PLACE, Cluster
from nasengine.executors._ray_desk import Actor, Files, below, taken, write
from nasengine.executors._terms import Terms
from nasengine.executors._worker import checkpoint_of
from nasengine.job import FORMAT, Job, Json

POLL_SECONDS = 0.2  # between two looks where nobody works


class Ray(Pool):
    """Workers are Ray actors, each with its cores and its share of a GPU.

    Without `terms.address` and RAY_ADDRESS a cluster is started on this machine, and ended with the search; otherwise
    the one there is joined. Actors that find no room wait for nodes to join, and hold up nobody.
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
        super().__init__(_Actors(folder.absolute(), terms, dataset, on_note), terms, on_epoch, on_note)


class _Actors:
    def __init__(self, folder: Path, terms: Terms, dataset: Any, on_note: Callable[[str], None]):
        gpus = terms.gpus_per_worker
        if gpus < 0 or (gpus > 1 and gpus != int(gpus)):
            raise NasError(
                f"{PLACE}: gpus_per_worker={gpus:g} came; give a share of one GPU, or a whole number of them"
            )
        data, size = _taken_apart(dataset)
        self.cluster = Cluster(terms, bytes=size)
        self.ray, self.folder = self.cluster.ray, folder
        self.ears: dict[Any, str] = {}  # what each worker will have said -> its name
        self.actors: dict[str, Any] = {}  # by name
        self.nodes: dict[str, str] = {}  # by name: where it runs, once it has said so
        self.apart: dict[str, set[str]] = {}  # workers that do not see our folder -> files that they were sent
        self.numbers = count(1)
        self.mark = token_hex(16)
        try:
            room = self.cluster.room(gpus)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "mark").write_text(self.mark)
            self.data = None if data is None else self.ray.put(data)
        except BaseException:
            self.cluster.close()
            raise
        if room < terms.workers:
            on_note(f"the cluster has room for {room} of {terms.workers} workers; the others begin when nodes join")
        cores = self.cluster.cores
        alone = replace(terms, workers=1).threads() if self.cluster.is_own else cores  # when the final training runs
        self.facts: Json = {"folder": str(folder), "mark": self.mark, "format": FORMAT, "gpus": gpus}
        self.facts |= {"threads": cores, "all_threads": alone, "files": terms.files, "data": None}
        self.made = self.ray.remote(Actor).options(
            num_cpus=cores, num_gpus=gpus, max_concurrency=2, max_restarts=0, scheduling_strategy="SPREAD"
        )

    def hire(self) -> None:
        name = f"worker-{next(self.numbers)}"
        self.actors[name] = self.made.remote(self.facts, self.data)
        self._listen(name)

    def _listen(self, name: str) -> None:
        self.ears[self.actors[name].hear.remote()] = name

    def send(self, worker: Any, message: Json) -> None:
        if worker in self.actors:
            files = self._for_the_road(worker, message["job"]) if message["kind"] == "job" else {}
            self.actors[worker].tell.remote(message, files)

    def _for_the_road(self, worker: str, job: Json) -> Files:
        """What a worker that does not see our folder needs of it: the checkpoint, and weights it has not got yet."""
        if worker not in self.apart:
            return {}
        needed = [Path(file) for file, _ in job["inherit"].values()]
        needed += [Path(job["weights"])] if job["weights"] else []
        fresh = {path for path in needed if below(self.folder, path) not in self.apart[worker]}
        files = taken(self.folder, checkpoint_of(self.folder, Job.from_json(job)), *fresh)
        self.apart[worker].update(below(self.folder, path) for path in fresh)
        return files

    def dismiss(self, worker: Any) -> None:
        actor = self.actors.pop(worker, None)
        if actor is not None:
            self.ray.kill(actor)
        self.ears = {ear: name for ear, name in self.ears.items() if name != worker}
        self.apart.pop(worker, None)

    def hear(self, seconds: float | None) -> Sequence[tuple[str, Json]]:
        if not self.ears:
            time.sleep(POLL_SECONDS if seconds is None else min(seconds, POLL_SECONDS))
            return []
        ready, _ = self.ray.wait(list(self.ears), num_returns=1, timeout=seconds)
        if ready and len(self.ears) > 1:
            ready, _ = self.ray.wait(list(self.ears), num_returns=len(self.ears), timeout=0)
        return [(name, message) for ear in ready for name, message in self._said(ear)]

    def _said(self, ear: Any) -> list[tuple[str, Json]]:
        name = self.ears.pop(ear)
        try:
            parcels = self.ray.get(ear)
        except self.ray.exceptions.RayError as error:
            self.dismiss(name)
            return [(name, self._gone(name, error))]
        for message, files in parcels:
            write(self.folder, files)
            if message["kind"] == "ready":
                self.nodes[name] = message["name"]
                self.apart |= {name: set()} if message["apart"] else {}
            if message["kind"] == "gone":
                self.dismiss(name)
        if name in self.actors:
            self._listen(name)
        return [(name, message) for message, _ in parcels]

    def _gone(self, name: str, error: Exception) -> Json:
        """Why a worker is no more there."""
        memory = isinstance(error, self.ray.exceptions.OutOfMemoryError) or "low on memory" in str(error)
        why = "its node ran low on memory" if memory else _reason(str(error))
        return {"kind": "gone", "reason": f"{name} ({self.nodes.get(name, 'not begun')}): {why}", "memory": memory}

    def close(self) -> None:
        for name in list(self.actors):
            self.dismiss(name)
        (self.folder / "mark").unlink(missing_ok=True)
        self.cluster.close()


def _reason(text: str) -> str:
    """What Ray says about a death: the error of a worker that could not begin, or how its process or node ended.

    Errors: NasError where it could not begin for want of this package, which no other worker there would find either.
    """
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    if "No module named 'nasengine" in text:
        node = re.search(r"\bip[=:]\s*([\w.:]+)", text)
        raise NasError(
            f"{PLACE}: node {node[1] if node else '(unknown)'} has no nasengine ({lines[-1]}); install it on every "
            "node, in the environment that `ray start` is called in"
        )
    if "creation task" in lines[0]:
        return lines[-1][:300]
    said = [line for line in lines if line.startswith("The actor is dead because")]
    return (said or lines)[0].split(" There are some potential root causes")[0][:300]


def _taken_apart(dataset: Any) -> tuple[tuple[dict[str, Any], str] | None, int]:
    """A data set as numpy arrays and text, and its bytes: it travels once to each node and is mapped there."""
    if dataset is None:
        return None, 0
    from nasengine.training.mapped import take_apart

    tensors, facts = take_apart(dataset)
    arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
    return (arrays, facts), sum(array.nbytes for array in arrays.values())
