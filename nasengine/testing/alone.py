"""Runs exported source where nasengine cannot be imported; started as a file by `python -I`, fed by OtherPython.

Each line that comes in names a folder with model.py and given.safetensors (the images, and the weights by name). What
the network makes of the images, in evaluation mode and then in training mode, goes into made.safetensors.
"""

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file


class _Blocked:
    """A finder that comes first and refuses the engine and every file it loaded."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name.split(".")[0].startswith("nasengine"):
            raise ImportError(f"{name}: exported source has to do without it")


def predict(folder: Path) -> None:
    """Import the folder's model.py, run it, and write what it put out."""
    spec = importlib.util.spec_from_file_location("model", folder / "model.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["model"] = module
    spec.loader.exec_module(module)
    given = load_file(folder / "given.safetensors")
    images = given.pop("images")
    torch.set_default_dtype(images.dtype)
    network = module.Network()
    network.load_state_dict({name.removeprefix("weights."): tensor for name, tensor in given.items()})
    made = {}
    with torch.no_grad():
        for mode in ("eval", "train"):
            network.train(mode == "train")
            torch.manual_seed(0)
            made[mode] = network(images).contiguous()
    save_file(made, folder / "made.safetensors")


def main() -> None:
    """Answer each line with a line of JSON: null, or what went wrong."""
    sys.meta_path.insert(0, _Blocked())
    torch.set_num_threads(1)
    for line in sys.stdin:
        try:
            predict(Path(json.loads(line)))
            answer = None
        except Exception as error:
            answer = f"{type(error).__name__}: {error}"
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
