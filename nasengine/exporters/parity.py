"""Whether an exported file computes what the network computes."""

import importlib.util
import math
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from nasengine.errors import ExportError
from nasengine.exporters.format import Runs

BATCHES = (1, 2, 7)
"""Batches that are compared where any may come."""
CHANGE = 0.002
"""How far accuracy (R², IoU) may move on held-out data; rounding can turn an image that hangs in the balance."""


class ParityError(ExportError):
    """Files were written, loaded again and found to differ; `checks` holds what was measured of every format."""

    def __init__(self, message: str, checks: "Sequence[Check]"):
        super().__init__(message)
        self.checks = tuple(checks)


@dataclass(frozen=True)
class Check:
    """One format, loaded again and compared: differences by batch, relative to the largest output.

    `before` and `after` are the value on held-out data of the network and of the loaded file, None without such data.
    `seconds` is the time of writing.
    """

    format: str
    files: tuple[str, ...]
    bytes: int
    seconds: float
    differences: dict[int, float]
    tolerance: float
    before: float | None = None
    after: float | None = None
    images: int = 0

    @property
    def difference(self) -> float:
        """The largest difference; not a number where one is none."""
        return max(self.differences.values(), key=lambda one: math.inf if math.isnan(one) else one)

    @property
    def fault(self) -> str | None:
        """What is wrong, or nothing."""
        batch, worst = next((one for one in self.differences.items() if one[1] != one[1]), (0, self.difference))
        batch = batch or next(size for size, difference in self.differences.items() if difference == worst)
        if not worst <= self.tolerance:
            return (
                f"{self.format}: it differs by {worst:.1e} of the output's size at batch {batch}; "
                f"at most {self.tolerance:.0e} is allowed"
            )
        if self.before is None or self.after is None or (math.isnan(self.before) and math.isnan(self.after)):
            return None
        if not abs(self.before - self.after) <= max(CHANGE, 1.5 / max(self.images, 1)):
            return f"{self.format}: {self.before:.4f} on held-out data became {self.after:.4f}"
        return None

    def to_json(self) -> dict[str, Any]:
        """For architecture.json."""
        own = {"files": self.files, "bytes": self.bytes, "seconds": round(self.seconds, 2)}
        own |= {"difference": self.difference, "differences": self.differences, "tolerance": self.tolerance}
        return own if self.after is None else {**own, "held_out": self.after}


def differences(model: nn.Module, exported: Runs, shape: Sequence[int], batches: Sequence[int]) -> dict[int, float]:
    """By batch, the largest difference of two networks on random images, relative to the largest output.

    `shape` is (channels, height, width); both are in evaluation mode.
    """
    generator = torch.Generator().manual_seed(0)
    found = {}
    with torch.no_grad():
        for batch in batches:
            images = torch.randn(batch, *shape, generator=generator)
            wanted, given = model(images), exported(images)
            if wanted.shape != given.shape:
                found[batch] = math.inf
                continue
            size = max(float(wanted.abs().max()), 1e-12)
            found[batch] = float((wanted - given).abs().max()) / size
    return found


def refuse_different(checks: Sequence[Check]) -> None:
    """Raise ParityError with every format that is beyond its tolerance."""
    faults = [check.fault for check in checks if check.fault]
    if faults:
        raise ParityError(
            "parity: what was written, loaded again, is not the network, so nothing was kept\n"
            + "".join(f"  {fault}\n" for fault in faults)
            + "a layer whose output depends on more than its weights and its input (a random number, a global) cannot "
            "be exported; where one format alone is wrong, leave it out of --format",
            checks,
        )


def import_exported(path: Path) -> ModuleType:
    """Import a file that was just written; raises ExportError with the line where that fails."""
    name = f"nasengine_exported_{uuid.uuid4().hex}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ExportError(
            f"{path.name}: the exported source cannot be imported: {type(error).__name__}: {error}; layers may use at "
            "the top level of their file only what stands in plain statements of it"
        ) from error
    finally:
        del sys.modules[name]
    return module
