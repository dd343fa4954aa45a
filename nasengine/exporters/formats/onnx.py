"""ONNX: one file for ONNX Runtime and most other engines."""

from pathlib import Path

import torch

from nasengine.exporters.format import Leaving, Runs
from nasengine.exporters.quiet import quiet


class Onnx:
    """model.onnx: input `images`, output `outputs`, weights inside; checked with onnx.checker and ONNX Runtime."""

    files = ("model.onnx",)
    needs = ("onnx", "onnxscript", "onnxruntime")
    extra = "export"
    tolerance = 1e-4
    most = None
    how = """\
```python
import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
images = np.random.randn({batch}, {shape}).astype(np.float32)
print(session.run(["outputs"], {{"images": images}})[0].shape)
```
"""

    def write(self, leaving: Leaving, folder: Path) -> None:
        """Write the graph that torch's exporter makes of the traced network."""
        with quiet():
            program = torch.onnx.export(
                leaving.program(), (leaving.example,), dynamo=True, verbose=False, dynamic_shapes=leaving.dynamic(),
                input_names=["images"], output_names=["outputs"],
            )  # fmt: skip
            assert program is not None
            program.save(folder / "model.onnx", external_data=False)

    def load(self, folder: Path, leaving: Leaving) -> Runs:
        """A session of ONNX Runtime, after the file was found to be sound."""
        import onnx
        import onnxruntime

        path = folder / "model.onnx"
        onnx.checker.check_model(path, full_check=True)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = torch.get_num_threads(), 3  # errors
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return lambda images: torch.from_numpy(session.run(["outputs"], {"images": images.numpy()})[0])
