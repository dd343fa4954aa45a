"""OpenVINO: for Intel's processors, graphics and accelerators."""

import sys
from pathlib import Path
from typing import Any

import torch

from nasengine.exporters.format import Leaving, Runs
from nasengine.exporters.quiet import quiet


class Openvino:
    """model.xml and model.bin in float32; a device may compute at less unless told otherwise."""

    files = ("model.xml", "model.bin")
    needs = ("openvino",)
    extra = "edge"
    tolerance = 1e-4
    most = None
    how = """\
Left to itself OpenVINO computes at the precision it likes best on a device; the figures above are those of float32.

```python
import numpy as np
import openvino

network = openvino.Core().compile_model("model.xml", "CPU", {{"INFERENCE_PRECISION_HINT": "f32"}})
images = np.random.randn({batch}, {shape}).astype(np.float32)
print(network(images)[0].shape)
```
"""

    def write(self, leaving: Leaving, folder: Path) -> None:
        """Convert the traced network."""
        openvino = _library()
        with quiet():
            made = openvino.convert_model(leaving.program())
            made.reshape([leaving.batch or -1, *leaving.shape])
            openvino.save_model(made, folder / "model.xml", compress_to_fp16=False)

    def load(self, folder: Path, leaving: Leaving) -> Runs:
        """The network compiled for this processor, computing in float32."""
        openvino = _library()
        settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": torch.get_num_threads()}
        network = openvino.Core().compile_model(folder / "model.xml", "CPU", settings)
        return lambda images: torch.from_numpy(network(images.numpy())[0].copy())


def _library() -> Any:
    """OpenVINO without its telemetry, which would otherwise be sent with every conversion."""
    if "openvino" not in sys.modules:
        sys.modules["openvino_telemetry"] = None  # type: ignore[assignment] # not to be found: it takes its own stub
    import openvino

    return openvino
