"""One format after another: written, loaded again, and compared with the network."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from nasengine.errors import ExportError, NasError
from nasengine.exporters.facts import about
from nasengine.exporters.format import Format, Leaving
from nasengine.exporters.held_out import HeldOut
from nasengine.exporters.parity import BATCHES, Check, differences, import_exported
from nasengine.interpreters.model import Model
from nasengine.interpreters.source import source, state


def leaving_of(model: Model, temporary: Path, batch: int | None, facts: Mapping[str, Any]) -> Leaving:
    """The network as the plain module of its exported source."""
    made = source(model.space, model.picks, about(facts))  # type: ignore[arg-type]
    weights = {name: _single(tensor) for name, tensor in state(model, made).items()}
    path = temporary / "leaving.py"
    path.write_text(made.text, encoding="utf-8")
    with torch.random.fork_rng(devices=[]):  # the weights that Network() starts with are drawn
        network = import_exported(path).Network()
    network.load_state_dict(weights)
    notes = {"space": model.space.name, "architecture": json.dumps(facts["architecture"])}
    return Leaving(network.eval(), made.text, weights, notes, tuple(model.space.input), batch)


def _single(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor


def twin_of(model: Model) -> Model:
    """The model in float32 on the CPU, in evaluation mode."""
    with torch.random.fork_rng(devices=[]):
        twin = Model(model.space, model.picks).eval()
    twin.load_state_dict({name: tensor.detach().cpu() for name, tensor in model.state_dict().items()})
    return twin.float()


def check(
    name: str, made: Format, leaving: Leaving, twin: Model, folder: Path, held_out: HeldOut | None,
    before: float | None, side: int | None,
) -> Check:  # fmt: skip
    """Write one format, load it again and compare it."""
    started = time.perf_counter()
    try:
        with torch.random.fork_rng(devices=[]):
            made.write(leaving, folder)
            seconds = time.perf_counter() - started
            run = made.load(folder, leaving)
        batches = [leaving.batch] if leaving.batch else BATCHES
        found = differences(twin, run, leaving.shape, batches)
        after = held_out.measure(run, made.most, leaving.batch, side) if held_out else None
    except (NasError, OSError):
        raise
    except Exception as error:
        first = (str(error).strip().splitlines() or ["no reason given"])[0]
        raise ExportError(
            f"format {name}: the network cannot be written so ({type(error).__name__}: {first}); leave {name} out of "
            "--format, or the layer that it stumbles over out of the space"
        ) from error
    size = sum((folder / file).stat().st_size for file in made.files)
    images = held_out.images if held_out else 0
    return Check(name, tuple(made.files), size, seconds, found, made.tolerance, before, after, images)
