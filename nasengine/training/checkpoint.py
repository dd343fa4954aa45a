"""A training's state on disk: written whole or not at all, read without running anything."""

import io
import os
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from nasengine.errors import TrainingError

SPACING = 30  # times what a save took must pass before the next one


class Saver:
    """Saves a training between its epochs: after the first, and then so seldom that it takes little of the time.

    `write` saves all that the next epochs depend on. What a killed process loses is the time since, thirty times what
    a save takes; what ends otherwise between two epochs loses nothing.
    """

    def __init__(self, write: Callable[[], None]) -> None:
        self._write, self._due, self._is_behind = write, 0.0, False

    def epoch_done(self, tell: Callable[[], None] = lambda: None) -> None:
        """Save if it is time, then tell; where that raises something, what was done until now is saved as well."""
        self._is_behind = True
        if time.perf_counter() >= self._due:
            self.save()
        try:
            tell()
        except BaseException:
            self.save()
            raise

    def save(self) -> None:
        """Save what was done since the last time, if anything."""
        if self._is_behind:
            began = time.perf_counter()
            self._write()
            ended = time.perf_counter()
            self._due, self._is_behind = ended + SPACING * (ended - began), False


def save(path: Path, state: dict[str, Any]) -> None:
    """Write a state of tensors, numbers and text; a process killed meanwhile leaves the former file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.part")
    buffer = io.BytesIO()  # written by torch itself, a full disk would be reported in words about positions
    torch.save(state, buffer)
    try:
        fresh.write_bytes(buffer.getbuffer())
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)


def load(path: Path, **expected: Any) -> dict[str, Any] | None:
    """Return the state, or None where no file is yet; TrainingError unless it holds the values expected."""
    if not path.exists():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, ValueError, pickle.UnpicklingError) as error:
        raise TrainingError(f"checkpoint {path}: unreadable ({error}); delete it to begin afresh") from error
    for name, value in expected.items():
        if state.get(name) != value:
            raise TrainingError(
                f"checkpoint {path}: {name} {state.get(name)} came; {value} is wanted; delete it to begin afresh, or "
                "go on as it began"
            )
    return state
