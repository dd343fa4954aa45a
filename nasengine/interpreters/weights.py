"""Weights of a model on disk: safetensors, named as in the state dict; nothing is ever unpickled."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from nasengine.errors import ExportError, did_you_mean


def save_weights(model: nn.Module, path: Path, beside: Mapping[str, Tensor] | None = None) -> Path:
    """Write a model's state dict, and what is to lie `beside` it by other names; whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    try:
        tensors = {**model.state_dict(), **(beside or {})}
        save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, partial)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return path


def load_weights(model: nn.Module, path: Path, *, beside: str | None = None) -> dict[str, Tensor]:
    """Read a state dict into a model of exactly the same structure.

    Returns the tensors whose names begin with `beside`: they lie in the file as well, and are not the model's.
    """
    if not path.exists():
        raise ExportError(f"weights {path}: there is no such file; train the network again, or pass where it moved to")
    stored, wanted = load_file(path), model.state_dict()
    others = {name: stored.pop(name) for name in list(stored) if beside is not None and name.startswith(beside)}
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
    return others


def start_from(model: nn.Module, origins: Mapping[str, Sequence[str]]) -> None:
    """Copy trained tensors into a model; for places of it, `origins` names (file of weights, place in that file).

    Tensors of one name are copied whole where their shapes agree, and else the part that both have: leading channels,
    central kernel window. What has no counterpart keeps its value. Raises ExportError where a file or a place of the
    model is missing.
    """
    wanted = model.state_dict()
    for file in dict.fromkeys(file for file, _ in origins.values()):
        if not Path(file).is_file():
            raise ExportError(f"weights {file}: there is no such file to inherit from; put it back, or search anew")
        with safe_open(file, framework="pt") as stored, torch.no_grad():
            held = set(stored.keys())
            for place, (_, origin) in ((p, source) for p, source in origins.items() if source[0] == file):
                names = [name.removeprefix(f"{place}.") for name in wanted if name.startswith(f"{place}.")]
                if not names:
                    raise ExportError(f"weights {file}: the network has no parameters at {place!r} to start from them")
                for name in names:
                    if f"{origin}.{name}" in held:
                        _copy(stored.get_tensor(f"{origin}.{name}"), wanted[f"{place}.{name}"])


def _copy(source: Tensor, target: Tensor) -> None:
    """Copy what two tensors have in common; nothing where they differ in their number of dimensions."""
    if source.dim() != target.dim():
        return
    for d, (held, wanted) in enumerate(zip(source.shape, target.shape, strict=True)):
        both = min(held, wanted)
        source = source.narrow(d, (held - both) // 2 if d >= 2 else 0, both)
        target = target.narrow(d, (wanted - both) // 2 if d >= 2 else 0, both)
    target.copy_(source)
