"""Whether an exported file computes what the network computes."""

import importlib.util
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor, nn

from nasengine.errors import ExportError

TOLERANCE = 1e-5
"""Largest difference allowed, relative to the largest output, in float32."""
BATCHES = (1, 3)


def parity(model: nn.Module, exported: Callable[[Tensor], Tensor], shape: tuple[int, ...]) -> float:
    """The largest difference between two networks on random images, relative to the largest output; both in eval mode.

    `shape` is (channels, height, width). Raises ExportError where it is more than TOLERANCE, or not a number.
    """
    generator = torch.Generator().manual_seed(0)
    worst = 0.0
    with torch.no_grad():
        for batch in BATCHES:
            x = torch.randn(batch, *shape, generator=generator)
            wanted, given = model(x), exported(x)
            size = max(float(wanted.abs().max()), 1e-12)
            difference = float((wanted - given).abs().max()) / size
            if not difference <= TOLERANCE:
                raise ExportError(
                    f"parity: the exported network differs by {difference:.1e} of its output's size at batch {batch}; "
                    f"at most {TOLERANCE:.0e} is allowed; a layer whose output depends on more than its weights and "
                    "its input (a random number, a global) cannot be exported"
                )
            worst = max(worst, difference)
    return worst


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
