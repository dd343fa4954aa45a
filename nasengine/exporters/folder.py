"""A found network as a folder that needs torch and safetensors alone: source, weights, facts and a card."""

import json
import os
import tempfile
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from nasengine.errors import ExportError
from nasengine.exporters.card import card
from nasengine.exporters.parity import import_exported, parity
from nasengine.interpreters.cost import cost
from nasengine.interpreters.model import Model
from nasengine.interpreters.shape import trace
from nasengine.interpreters.source import Source, source, state
from nasengine.space import Architecture

FILES = ("model.py", "model.safetensors", "architecture.json", "README.md")
LOAD = '''

def load(path=None) -> Network:
    """The network in evaluation mode with its weights, from model.safetensors beside this file unless given."""
    from pathlib import Path

    from safetensors.torch import load_file

    network = Network()
    network.load_state_dict(load_file(path or Path(__file__).with_name("model.safetensors")))
    return network.eval()
'''


@dataclass(frozen=True)
class Exported:
    """An exported folder."""

    folder: Path
    parity: float  # largest difference to the model on random images, relative to the output's size
    params: int
    macs: int

    @property
    def files(self) -> tuple[Path, ...]:
        """What was written."""
        return tuple(self.folder / name for name in FILES)


def export(model: Model, folder: Path | str, *, facts: Mapping[str, Any] | None = None) -> Exported:
    """Write a found network to a folder, after checking that the written files compute the same.

    `facts` (digest, drawing, values, recipe, data, seed, lineage, …) go into architecture.json and README.md. Batch
    statistics are taken as they are: estimate inherited ones anew before. Files of these four names are replaced, all
    or none; others in the folder stay. Raises ExportError, and writes nothing, where the network cannot leave.
    """
    folder = Path(folder)
    if model.is_supernet:
        raise ExportError(
            f"export: the supernet of {model.space.name} came; one network can leave: model.inherit(architecture)"
        )
    if folder.exists() and not folder.is_dir():
        raise ExportError(f"export: {folder} is a file; name a folder, there or not")
    known = _facts(model, facts or {})
    made = source(model.space, model.picks, _about(known))  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory(prefix=".export-", dir=_existing(folder)) as temporary:
        difference = _write(Path(temporary), model, made, known)
        folder.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            os.replace(Path(temporary) / name, folder / name)
    return Exported(folder, difference, known["params"], known["macs"])


def _write(folder: Path, model: Model, made: Source, facts: dict[str, Any]) -> float:
    (folder / "model.py").write_text(made.text + LOAD, encoding="utf-8")
    held = {"format": "pt", "space": model.space.name, "architecture": json.dumps(facts["architecture"])}
    save_file(state(model, made), folder / "model.safetensors", metadata=held)
    difference = _parity(model, folder)
    known = {**facts, "parity": difference}
    text = json.dumps({k: v for k, v in known.items() if k != "drawing"}, indent=2, default=str, ensure_ascii=False)
    (folder / "architecture.json").write_text(text + "\n", encoding="utf-8")
    (folder / "README.md").write_text(card(known), encoding="utf-8")
    return difference


def _parity(model: Model, folder: Path) -> float:
    """Compare the model, in float32 on the CPU, with the files just written."""
    with torch.random.fork_rng(devices=[]):  # the weights that Network() starts with are drawn
        exported: nn.Module = import_exported(folder / "model.py").load()
        twin = Model(model.space, model.picks).eval()
    twin.load_state_dict({name: tensor.detach().cpu() for name, tensor in model.state_dict().items()})
    return parity(twin.float(), exported.float(), tuple(model.space.input))


def _facts(model: Model, given: Mapping[str, Any]) -> dict[str, Any]:
    space, architecture = model.space, model.picks
    assert isinstance(architecture, Architecture)
    counted = cost(space, architecture)
    _, output = trace(space, architecture)
    own = {
        "space": space.name,
        "settings": dict(space.settings),
        "architecture": architecture.to_json(),
        "input": list(space.input),
        "classes": output[0],
        "params": counted.params,
        "macs": counted.macs,
        "versions": {"nasengine": _version(), "torch": torch.__version__},
    }
    return {**own, **given, **{k: own[k] for k in ("architecture", "input", "classes", "params", "macs", "versions")}}


def _about(facts: Mapping[str, Any]) -> str:
    """The docstring of model.py."""
    settings = ", ".join(f"{name}={value!r}" for name, value in facts["settings"].items()) or "none"
    picks = [f"  {name}: {', '.join(kept)}" for name, kept in facts["architecture"].items()]
    lines = [
        f"A network of the space {facts['space']}, found by nasengine {facts['versions']['nasengine']}.",
        "",
        *textwrap.wrap(f"Settings: {settings}", 110, subsequent_indent="  "),
        f"Input: {', '.join(map(str, facts['input']))} (channels, height, width); outputs: {facts['classes']}",
        f"Parameters: {facts['params']:,}; multiply-adds per image: {facts['macs']:,}",
        "Architecture:",
    ]
    return "\n".join([*lines, *(picks or ["  no decisions"])])


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there: on the same disk, so that files move in one step."""
    folder = folder.absolute()
    return next(path for path in (folder, *folder.parents) if path.is_dir())


def _version() -> str:
    try:
        return version("nasengine")
    except PackageNotFoundError:
        return "unknown"
