"""The weights, named as in model.py's Network, with the architecture in the file's own notes."""

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from nasengine.exporters.format import Leaving, Runs


class Safetensors:
    """model.safetensors: tensors and nothing that could be executed."""

    files = ("model.safetensors",)
    needs = ()
    extra = ""
    tolerance = 1e-5
    most = None
    how = """\
The weights of `Network` in model.py, whose `load()` reads them; alone:

```python
from safetensors.torch import load_file

weights = load_file("model.safetensors")  # names and tensors, as in Network().state_dict()
```
"""

    def write(self, leaving: Leaving, folder: Path) -> None:
        """Write the weights."""
        save_file(dict(leaving.weights), folder / "model.safetensors", metadata={"format": "pt", **leaving.notes})

    def load(self, folder: Path, leaving: Leaving) -> Runs:
        """A second network of the same class with the weights of the file."""
        with torch.random.fork_rng(devices=[]):
            network = type(leaving.network)()
        network.load_state_dict(load_file(folder / "model.safetensors"))
        return network.eval()
