"""Sees what the host waits for: the meta device stands for a GPU, and has no numbers to wait for."""

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

META = torch.device("meta")
COPIES = ("_to_copy", "copy_")


class Waiting(TorchDispatchMode):
    """Notes each transfer for which the host waits, and gives zeros for what comes back from the device.

    A copy to the CPU waits; so do one to the device unless it is told not to, and a tensor made of numbers.
    """

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs, name = kwargs or {}, func.overloadpacket.__name__
        if name not in COPIES:
            return func(*args, **kwargs)
        source = args[1] if name == "copy_" else args[0]
        there = args[0].device if name == "copy_" else torch.device(kwargs.get("device") or source.device)
        if source.device == META and there.type == "cpu":
            self.noted.append("to the CPU")
            return torch.zeros(source.shape, dtype=kwargs.get("dtype") or source.dtype)
        blocking = not (kwargs.get("non_blocking") or (name == "copy_" and len(args) > 2 and args[2]))
        if source.device != there and blocking:
            self.noted.append("to the device")
        return func(*args, **kwargs)


def made_of_numbers(make: Any, waiting: Waiting, *args: Any, **words: Any) -> Any:
    """torch.tensor, noted as well: it copies its numbers out of the mode's sight."""
    if torch.device(words.get("device") or "cpu") == META:
        waiting.noted.append("to the device")
    return make(*args, **words)
