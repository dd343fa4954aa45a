"""The far side of `relax_together`: what each process does, and the actor through which it speaks with the driver."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nasengine import plugins, user_files
from nasengine.errors import NasError

Message = tuple[Any, ...]  # what it is ("epoch", "note", "error", "done"), and what belongs to it


class Exchange:
    """An actor beside the driver: it keeps the latest checkpoint, and what was said until the driver hears it."""

    def __init__(self, state: bytes | None):
        self.state, self.is_new = state, False
        self.messages: list[Message] = []
        self.actors: dict[int, Any] = {}
        self.starts = 0
        self.ended = self.aborted = False

    def join(self, rank: int, actor: Any) -> bool:
        """Take note of a process' actor; say whether it is still wanted."""
        self.actors[rank] = actor
        return not self.aborted

    def begin(self) -> bytes | None:
        """The checkpoint to go on from; called by the first process, again after a death."""
        self.starts += 1
        if self.starts > 1:
            self.messages.append(("note", "a process of the supernet died; all go on after the last epoch done"))
        return self.state

    def say(self, message: Message, state: bytes | None = None) -> None:
        """Leave a message for the driver, and with it a checkpoint."""
        self.messages.append(message)
        if state is not None:
            self.state, self.is_new = state, True

    def hear(self) -> tuple[list[Message], bytes | None]:
        """All that was said since the driver last asked, and the latest checkpoint if it is a new one."""
        messages, fresh = self.messages, self.state if self.is_new else None
        self.messages, self.is_new = [], False
        return messages, fresh

    def end(self) -> None:
        """The time is up: the epoch that runs is the last."""
        self.ended = True

    def is_over(self) -> bool:
        """Whether the time is up."""
        return self.ended

    def abort(self) -> list[Any]:
        """Nothing more is wanted; the actors that may be ended."""
        self.aborted = True
        return list(self.actors.values())


def work(task: Mapping[str, Any]) -> None:
    """Be one process of a supernet's training; Ray Train has joined them to a group already."""
    import ray
    import torch

    from nasengine.search.group import Group

    torch.set_num_threads(task["threads"])
    group, exchange = Group(), task["exchange"]
    actor = ray.get_runtime_context().current_actor
    if not ray.get(exchange.join.remote(group.rank, actor)):
        return
    try:
        _search(task, group)
    except NasError as error:  # another try would end the same way
        ray.get(exchange.say.remote(("error", type(error).__name__, str(error))))
    except torch.OutOfMemoryError as error:
        text = f"supernet: out of memory in process {group.rank}: {error}; give a smaller batch in its recipe"
        ray.get(exchange.say.remote(("error", "TrainingError", text)))


def _search(task: Mapping[str, Any], group: Any) -> None:
    """Rebuild what the names mean, and train; the first process reports."""
    import ray
    import torch

    from nasengine.search.relax import relax
    from nasengine.search.room import batch_that_fits
    from nasengine.training.fit import pick_device
    from nasengine.training.recipe import Recipe

    def say(*message: Any, state: bytes | None = None) -> None:
        ray.get(task["exchange"].say.remote(message, state))

    def note(text: str) -> None:
        if group.rank == 0:
            say("note", text)

    for pack in task["packs"]:
        user_files.accept(pack)
    space, recipe = plugins.load_space(task["space"], task["settings"]), Recipe.from_json(task["recipe"])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(task["seed"])
        relaxation = plugins.load_strategy(task["strategy"], space, task["options"])
    device = "cuda" if task["gpu"] else "cpu"
    with tempfile.TemporaryDirectory(prefix="nasengine-supernet-") as folder:
        path = Path(folder, "supernet.pt")
        known = ray.get(task["exchange"].begin.remote()) if group.rank == 0 else None
        if known is not None:
            path.write_bytes(known)
        relax(
            space, relaxation, ray.get(task["dataset"]), recipe, seed=task["seed"], device=device,
            policy=task["policy"], checkpoint=path, group=group, on_note=note,
            on_epoch=lambda record, gates: say("epoch", record, gates, state=path.read_bytes()),
            out_of_time=lambda: ray.get(task["exchange"].is_over.remote()),
            batch_for=batch_that_fits(relaxation, recipe, pick_device(device), note, group),
        )  # fmt: skip
        if group.rank == 0:
            say("done", state=path.read_bytes())
