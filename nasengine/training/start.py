"""A training that begins with weights from a file: all tensors whose names and shapes fit."""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from nasengine.errors import TrainingError, did_you_mean

ENDINGS = (".safetensors", ".pt", ".pth")
WRAPPINGS = ("state_dict", "model_state_dict", "model", "weights")  # keys under which checkpoints keep the tensors
PREFIX = "module."  # what torch's DataParallel puts before every name
SHOWN = 5


@dataclass(frozen=True)
class Started:
    """What became of a file's tensors: how many of the network's were taken, and which were left as they were."""

    taken: int
    wanted: int
    left: tuple[str, ...]  # of the network: no tensor of this name and shape came

    def __str__(self) -> str:
        shown = ", ".join(self.left[:SHOWN]) + (", …" if len(self.left) > SHOWN else "")
        rest = f"; begun anew: {shown}" if self.left else ""
        return f"{self.taken} of {self.wanted} tensors came from the file{rest}"


@torch.no_grad()
def start_from_file(model: nn.Module, path: Path | str) -> Started:
    """Copy a file's tensors into a model wherever name and shape are the model's, and say how many were.

    .safetensors, or .pt and .pth, of which nothing but tensors is read; a checkpoint's own wrapping is taken off.
    Raises TrainingError where the file cannot be read, or where nothing fits; then the model is as it was.
    """
    path = Path(path)
    held, wanted = _tensors(path), model.state_dict()
    fits = [name for name, tensor in wanted.items() if name in held and held[name].shape == tensor.shape]
    if not any(wanted[name].numel() for name in fits):
        raise TrainingError(_nothing_fits(path, held, wanted))
    for name in fits:
        wanted[name].copy_(held[name])
    return Started(len(fits), len(wanted), tuple(name for name in wanted if name not in fits))


def _tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file by name."""
    if path.suffix not in ENDINGS or not path.is_file():
        came = "came" if path.is_file() else "came, and there is no such file"
        raise TrainingError(f"start {path}: it {came}; a file that ends in {', '.join(ENDINGS)} is allowed")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, ValueError, pickle.UnpicklingError, SafetensorError) as error:
        said = str(error).partition("\n")[0]
        raise TrainingError(
            f"start {path}: not a readable file of tensors ({said}); save `model.state_dict()`, best as safetensors"
        ) from error
    return _unwrapped(content)


def _unwrapped(content: Any) -> dict[str, Tensor]:
    """The tensors of what was saved, by their names in the network."""
    while isinstance(content, Mapping) and (inner := next((key for key in WRAPPINGS if key in content), None)):
        content = content[inner]
    if not isinstance(content, Mapping):
        return {}
    return {str(name).removeprefix(PREFIX): one for name, one in content.items() if isinstance(one, Tensor)}


def _nothing_fits(path: Path, held: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> str:
    """Why a file is of no use."""
    name = next(iter(wanted), "nothing")
    alike = [one for one in wanted if one in held]
    if alike:
        first = alike[0]
        why = f"{first} is {tuple(held[first].shape)}, the network's is {tuple(wanted[first].shape)}"
    else:
        why = f"it holds {', '.join(list(held)[:3]) or 'no tensors'}; the network has names such as {name}"
        why += did_you_mean(name, held)
    return f"start {path}: none of its {len(held)} tensors fits the network's {len(wanted)} by name and shape: {why}"
