"""Weights of a model on disk: safetensors, named as in the state dict; nothing is ever unpickled."""

import os
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import nn

from nasengine.errors import ExportError, did_you_mean


def save_weights(model: nn.Module, path: Path) -> Path:
    """Write a model's state dict, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    save_file({name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}, partial)
    os.replace(partial, path)
    return path


def load_weights(model: nn.Module, path: Path) -> None:
    """Read a state dict into a model of exactly the same structure."""
    if not path.exists():
        raise ExportError(f"weights {path}: there is no such file; train the network again, or pass where it moved to")
    stored, wanted = load_file(path), model.state_dict()
    shapes = {name: tuple(tensor.shape) for name, tensor in stored.items()}
    faults = [f"{name} is missing" for name in wanted if name not in shapes]
    faults += [f"{name} does not belong to the network.{did_you_mean(name, wanted)}" for name in shapes.keys() - wanted]
    faults += [
        f"{name} is {shapes[name]}, the network's is {tuple(tensor.shape)}"
        for name, tensor in wanted.items()
        if name in shapes and shapes[name] != tuple(tensor.shape)
    ]
    if faults:
        more = f" (and {len(faults) - 5} more)" if len(faults) > 5 else ""
        raise ExportError(f"weights {path}: {'; '.join(faults[:5])}{more}; they are of another network")
    model.load_state_dict(stored)
