"""A training's state on disk: written whole or not at all, read without running anything."""

import io
import os
import pickle
from pathlib import Path
from typing import Any

import torch

from nasengine.errors import TrainingError


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
