"""What a format is: a file of the folder `formats` with one class that writes a network and loads it again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from nasengine import plugins
from nasengine.errors import ExportError, NasError

Runs = Callable[[Tensor], Tensor]
"""What a loaded file is: (batch, channels, height, width) in, what the network puts out."""


@dataclass(frozen=True)
class Leaving:
    """A network on its way out.

    `network` is the plain module of the exported source, float32, on the CPU, in evaluation mode; `source` its text and
    `weights` its state. `shape` is (channels, height, width) of an image, `batch` how many come at once, None for any
    number.
    """

    network: nn.Module
    source: str
    weights: Mapping[str, Tensor]
    notes: Mapping[str, str]
    shape: tuple[int, ...]
    batch: int | None
    _programs: dict[int | None, torch.export.ExportedProgram] = field(default_factory=dict, repr=False)

    @property
    def example(self) -> Tensor:
        """Images to trace the network with; a number of one would be taken for a constant."""
        return torch.zeros(self.batch or 2, *self.shape)

    def dynamic(self, most: int | None = None) -> Any:
        """What torch.export is told of the batch: any number (up to `most`), or nothing where it is fixed."""
        return None if self.batch else ({0: torch.export.Dim("batch", min=1, max=most)},)

    def program(self, most: int | None = None) -> torch.export.ExportedProgram:
        """The network as torch.export sees it; made once."""
        if most not in self._programs:
            made = torch.export.export(self.network, (self.example,), dynamic_shapes=self.dynamic(most))
            self._programs[most] = made
        return self._programs[most]


class Format(Protocol):
    """One format: a file under nasengine/exporters/formats, or a user's own, with one public class.

    `files` are the names it writes; `needs` the modules it imports, which `extra` installs; `tolerance` the largest
    difference that it may make, relative to the output; `most` the largest batch that a loaded file takes, None for
    any; `how` Markdown that says how to load it, with {shape} for "channels, height, width".
    """

    files: Sequence[str]
    needs: Sequence[str]
    extra: str
    tolerance: float
    most: int | None
    how: str

    def write(self, leaving: Leaving, folder: Path) -> None:
        """Write the files into a folder."""

    def load(self, folder: Path, leaving: Leaving) -> Runs:
        """Read the files back."""


def formats_of(names: Sequence[str]) -> dict[str, Format]:
    """The formats of these names, in the order given; every fault (unknown, its packages missing) is told at once."""
    found: dict[str, Format] = {}
    faults = []
    for name in dict.fromkeys(names):
        try:
            made = plugins.one_class("format", name)()
        except NasError as error:
            faults.append(str(error))
            continue
        missing = [module for module in made.needs if find_spec(module) is None]
        if missing:
            faults.append(
                f"format {name}: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed; "
                f"pip install 'nasengine[{made.extra}]', or leave {name} out of --format"
            )
        found[name] = made
    if not names:
        faults.append(f"format: none came; give some of {', '.join(name for name, _ in plugins.listing('format'))}")
    if faults:
        raise ExportError("\n".join(faults))
    return found
