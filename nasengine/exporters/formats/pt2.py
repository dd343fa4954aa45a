"""torch.export's file: graph and weights together, loaded by torch without any source."""

from pathlib import Path

import torch

from nasengine.exporters.format import Leaving, Runs
from nasengine.exporters.quiet import quiet


class Pt2:
    """model.pt2, for torch in Python and as the way into AOTInductor and other compilers."""

    files = ("model.pt2",)
    needs = ()
    extra = ""
    tolerance = 1e-5
    most = None
    how = """\
```python
import torch

network = torch.export.load("model.pt2").module()
print(network(torch.randn({batch}, {shape})).shape)
```
"""

    def write(self, leaving: Leaving, folder: Path) -> None:
        """Trace the network and save its program."""
        with quiet():
            torch.export.save(leaving.program(), folder / "model.pt2")

    def load(self, folder: Path, leaving: Leaving) -> Runs:
        """The program's module."""
        with quiet():
            return torch.export.load(folder / "model.pt2").module()
