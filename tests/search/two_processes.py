"""Two gloo processes that stay, and what the tests let them do; each function runs in both, with its process' group."""

import multiprocessing
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import torch
import torch.distributed as distributed

from nasengine.search.group import Alone, Group

STORE = "store"


class Pair:
    """`run(function, *arguments)` calls function(group, *arguments) in both and gives both answers."""

    def __init__(self, folder: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipes, self.processes = [], []
        for rank in (0, 1):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(rank, str(folder / STORE), theirs), daemon=True)
            process.start()
            theirs.close()
            self.pipes.append(ours)
            self.processes.append(process)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for pipe in self.pipes:
            pipe.send(None)
        for process in self.processes:
            process.join(30)
            process.close()

    def run(self, function: Callable[..., Any], *arguments: Any) -> list[Any]:
        """Both answers, by rank; an exception is an answer: its type's name and its text."""
        for pipe in self.pipes:
            pipe.send((function, arguments))
        for pipe in self.pipes:
            assert pipe.poll(60), "a process hangs"
        return [pipe.recv() for pipe in self.pipes]


def _serve(rank: int, store: str, pipe: Any) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    group: Alone = Group()
    while (task := pipe.recv()) is not None:
        function, arguments = task
        try:
            pipe.send(function(group, *arguments))
        except Exception as error:
            pipe.send((type(error).__name__, str(error)))
        torch.set_default_dtype(torch.float32)
    distributed.destroy_process_group()
