"""A supernet trained by several processes on a Ray cluster: started by Ray Train, followed from here.

What goes there are names and plain values, and the data set once. What comes back are the records of the epochs, as
they are made, and a checkpoint with each: it is kept here, so no folder has to be shared.
"""

import contextlib
import os
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasengine import errors, plugins
from nasengine.errors import TrainingError
from nasengine.executors._ray_cluster import Cluster
from nasengine.executors._terms import Terms
from nasengine.space import Space

if TYPE_CHECKING:
    from nasengine.search.relax import Gates, Policy, Relaxed
    from nasengine.training.data import Dataset
    from nasengine.training.recipe import Recipe

POLL_SECONDS = 0.1
PATIENCE = 20.0  # seconds for Ray Train to put its things away


def relax_together(
    space: Space,
    dataset: "Dataset",
    recipe: "Recipe",
    *,
    space_name: str,
    strategy_name: str,
    strategy_options: Mapping[str, Any],
    terms: Terms,
    seed: int = 0,
    policy: "Policy" = "last",
    checkpoint: Path | None = None,
    on_epoch: Callable[[dict[str, Any], "Gates"], None] | None = None,
    on_note: Callable[[str], None] = lambda note: None,
    out_of_time: Callable[[], bool] = lambda: False,
) -> "Relaxed":
    """Do what `relax` does in `terms.workers` processes, each with its share of every batch.

    `space` is what `space_name` gives with its own settings; the relaxation is built in each process from
    `strategy_name` and `strategy_options`, after torch was seeded. `terms.gpus_per_worker` is 1, or 0 for CPUs; without
    `terms.address` a cluster is started on this machine. When a process dies, all begin again after the last epoch that
    was done, `terms.retries` times at most. An interruption here ends the processes, and the next call goes on from
    `checkpoint`. Raises NasError where there is no Ray, no cluster, no room in it, or where the training cannot go on.
    """
    if terms.gpus_per_worker not in (0, 1):
        raise TrainingError(
            f"supernet: gpus_per_worker {terms.gpus_per_worker:g} came; 1 is allowed, or 0 for CPUs: "
            "the processes average their gradients from GPU to GPU, and each needs one of its own"
        )
    names = {"space": space_name, "strategy": strategy_name}
    packs = {kind: plugins.packed(kind, name) for kind, name in names.items()}
    task = {
        **{kind: pack["module"] if pack else names[kind] for kind, pack in packs.items()},
        "packs": [pack for pack in packs.values() if pack], "settings": dict(space.settings),
        "options": dict(strategy_options), "recipe": recipe.to_json(), "seed": seed, "policy": policy,
        "gpu": terms.gpus_per_worker > 0,
    }  # fmt: skip
    size = 3 * dataset.train.nbytes
    cluster = Cluster(terms, bytes=size)
    try:
        _refuse_small(cluster.room(terms.gpus_per_worker), cluster.cores, terms)
        with _Flight(cluster, task, dataset, terms, checkpoint) as flight:
            state = flight.follow(on_epoch, on_note, out_of_time)
    finally:
        cluster.close()
    return _found(space, state, policy, strategy_name, strategy_options, dataset)


def _refuse_small(room: int, cores: int, terms: Terms) -> None:
    if room < terms.workers:
        each = f"{cores} cores" + (" and a GPU" if terms.gpus_per_worker else "")
        raise TrainingError(
            f"supernet: {terms.workers} processes of {each} came; the cluster has room for {room}; they work in step, "
            "so all are needed at once: give fewer --workers, or add nodes"
        )


def _found(
    space: Space, state: bytes, policy: "Policy", name: str, options: Mapping[str, Any], dataset: "Dataset"
) -> "Relaxed":
    """What the last checkpoint leads to."""
    import io

    import torch

    from nasengine.interpreters.model import Model
    from nasengine.search.relax import settled
    from nasengine.training.tasks import task_of

    kept = torch.load(io.BytesIO(state), map_location="cpu", weights_only=True)
    with torch.random.fork_rng(devices=[]):
        model_options = getattr(plugins.load_strategy(name, space, options), "model_options", {})
        model = Model(space, **model_options).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    model.load_state_dict(kept["model"])
    said = task_of(dataset).figure
    return settled(kept["history"], model, kept["gates"], policy, lambda note: None, said)  # the processes told all


class _Flight:
    """One training on the cluster, from its beginning until everything is put away."""

    def __init__(
        self, cluster: Cluster, task: dict[str, Any], dataset: "Dataset", terms: Terms, checkpoint: Path | None
    ):
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        from nasengine.together_worker import Exchange

        self.ray, self.cores, self.terms, self.checkpoint = cluster.ray, cluster.cores, terms, checkpoint
        ray = cluster.ray
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        known = checkpoint.read_bytes() if checkpoint is not None and checkpoint.exists() else None
        self.exchange = ray.remote(Exchange).options(num_cpus=0, scheduling_strategy=here).remote(known)
        self.task = {**task, "threads": self.cores, "dataset": ray.put(dataset), "exchange": self.exchange}
        self.folder = tempfile.TemporaryDirectory(prefix="nasengine-train-", ignore_cleanup_errors=True)
        self.fault: Exception | None = None
        self.done = False
        self.thread = threading.Thread(target=self._fit, name="ray-train", daemon=True)

    def __enter__(self) -> "_Flight":
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        with contextlib.suppress(self.ray.exceptions.RayError):
            if not self.done:
                for actor in self.ray.get(self.exchange.abort.remote()):
                    self.ray.kill(actor)
            self.thread.join(PATIENCE if self.done else 0)
            self.ray.kill(self.exchange)
        self.folder.cleanup()

    def _fit(self) -> None:
        """Let Ray Train start the processes, and start them again when one has died."""
        try:
            self._trainer().fit()
        except Exception as error:
            self.fault = error

    def _trainer(self) -> Any:
        from ray.train import FailureConfig, LoggingConfig, RunConfig, ScalingConfig
        from ray.train.torch import TorchConfig, TorchTrainer

        from nasengine.together_worker import work

        gpu = self.terms.gpus_per_worker > 0
        resources = {"CPU": self.cores} | ({"GPU": 1} if gpu else {})
        return TorchTrainer(
            work,
            train_loop_config=self.task,
            torch_config=TorchConfig(backend="cpu:gloo,cuda:nccl" if gpu else "gloo"),
            scaling_config=ScalingConfig(
                num_workers=self.terms.workers, use_gpu=gpu, resources_per_worker=resources
            ),
            run_config=RunConfig(  # type: ignore[call-arg]  # the types are those of an older one
                name="supernet", storage_path=self.folder.name, logging_config=LoggingConfig("CRITICAL"),
                failure_config=FailureConfig(max_failures=self.terms.retries),
            ),
        )  # fmt: skip

    def follow(
        self,
        on_epoch: Callable[[dict[str, Any], "Gates"], None] | None,
        on_note: Callable[[str], None],
        out_of_time: Callable[[], bool],
    ) -> bytes:
        """Hear what the processes say until they are done, and return the last checkpoint."""
        state, is_over = b"", False
        while not self.done:
            if not is_over and out_of_time():
                self.ray.get(self.exchange.end.remote())
                is_over = True
            ended = not self.thread.is_alive()  # before listening: what is said last is heard
            messages, fresh = self.ray.get(self.exchange.hear.remote())
            if fresh is not None:
                state = fresh
                self._keep(state)
            for kind, *words in messages:
                if kind == "epoch" and on_epoch is not None:
                    on_epoch(*words)
                elif kind == "note":
                    on_note(*words)
                elif kind == "error":
                    raise getattr(errors, words[0], TrainingError)(words[1])
                self.done = self.done or kind == "done"
            if ended and not self.done:
                raise TrainingError(f"supernet on {self.terms.workers} processes: given up: {_why(self.fault)}")
            self.thread.join(POLL_SECONDS)
        return state

    def _keep(self, state: bytes) -> None:
        """Write a checkpoint whole or not at all."""
        if self.checkpoint is None:
            return
        self.checkpoint.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.checkpoint.with_name(f"{self.checkpoint.name}.{os.getpid()}.part")
        fresh.write_bytes(state)
        os.replace(fresh, self.checkpoint)


def _why(fault: Exception | None) -> str:
    """What Ray Train's processes died of, in a sentence."""
    failures = getattr(fault, "worker_failures", None) or {0: fault}
    rank, failure = next(iter(failures.items()))
    lines = [line.strip() for line in str(failure).splitlines() if line.strip()]
    return f"process {rank}: {lines[-1][:300] if lines else 'it ended without a word'}"
