"""ExecuTorch: a program for phones and small devices, with XNNPACK's kernels."""

from pathlib import Path
from typing import Any

import torch

from nasengine.exporters.format import Leaving, Runs
from nasengine.exporters.quiet import silent

MOST = 8  # images at once: memory is planned for as many


class Executorch:
    """model.pte, lowered to XNNPACK where that knows an operation; a dynamic batch goes up to 8."""

    files = ("model.pte",)
    needs = ("executorch",)
    extra = "edge"
    tolerance = 1e-4
    most = MOST
    how = """\
A dynamic batch takes up to 8 images, and memory for 8 is planned: export with `--batch 1` for a device that sees one
image at a time.

```python
import torch
from executorch.runtime import Runtime

network = Runtime.get().load_program("model.pte").load_method("forward")
print(network.execute([torch.randn({batch}, {shape})])[0].shape)
```
"""

    def write(self, leaving: Leaving, folder: Path) -> None:
        """Lower the traced network and write its program."""
        with silent():
            from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
            from executorch.exir import to_edge_transform_and_lower

            program = leaving.program(None if leaving.batch else MOST)
            lowered = to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()]).to_executorch()
            (folder / "model.pte").write_bytes(lowered.buffer)

    def load(self, folder: Path, leaving: Leaving) -> Runs:
        """The program's method, run by ExecuTorch's own runtime."""
        with silent():
            from executorch.runtime import Runtime

            program: Any = Runtime.get().load_program(folder / "model.pte")
            method = program.load_method("forward")

        def run(images: torch.Tensor) -> torch.Tensor:
            return method.execute([images.contiguous()])[0].clone()

        run.program = program  # type: ignore[attr-defined] # the method runs in its memory
        return run
