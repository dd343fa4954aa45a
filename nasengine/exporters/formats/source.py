"""Readable PyTorch in one file that imports torch alone, and a hubconf.py for torch.hub."""

from pathlib import Path

from nasengine.exporters.format import Leaving, Runs
from nasengine.exporters.parity import import_exported

LOAD = '''

def load(path=None) -> Network:
    """The network in evaluation mode with its weights, from model.safetensors beside this file unless given."""
    from pathlib import Path

    from safetensors.torch import load_file

    network = Network()
    network.load_state_dict(load_file(path or Path(__file__).with_name("model.safetensors")))
    return network.eval()
'''
HUBCONF = '''"""For torch.hub: torch.hub.load("path/to/this/folder", "network", source="local")."""

import importlib.util
import sys
from pathlib import Path

dependencies = ["torch", "safetensors"]


def network(pretrained: bool = True):
    """The network, in evaluation mode with its trained weights; a new one where `pretrained` is false."""
    path = Path(__file__).resolve().with_name("model.py")
    name = f"model_{abs(hash(path))}"  # of its own, so that several folders can be loaded
    spec = importlib.util.spec_from_file_location(name, path)
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load() if pretrained else module.Network()
'''


class Source:
    """model.py: the layers' classes, `class Network` and `load()`."""

    files = ("model.py", "hubconf.py")
    needs = ()
    extra = ""
    tolerance = 1e-5
    most = None
    how = """\
With model.safetensors beside it; it needs torch and safetensors.

```python
import torch
from model import load

network = load()  # Network() with the weights of model.safetensors, in evaluation mode
print(network(torch.randn(1, {shape})).shape)
```

From anywhere, by torch.hub: `torch.hub.load("path/to/this/folder", "network", source="local")`.
"""

    def write(self, leaving: Leaving, folder: Path) -> None:
        """Write the source, which ends in `load()`, and the file that torch.hub reads."""
        (folder / "model.py").write_text(leaving.source + LOAD, encoding="utf-8")
        (folder / "hubconf.py").write_text(HUBCONF, encoding="utf-8")

    def load(self, folder: Path, leaving: Leaving) -> Runs:
        """The class of the file with the network's weights."""
        network = import_exported(folder / "model.py").Network()
        network.load_state_dict(leaving.weights)
        return network.eval()
