"""ONNX Runtime on this machine's processor, as a device."""

import importlib.util
import io
import logging
import warnings
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import torch
from torch import Tensor, nn

from nasengine.errors import ExportError
from nasengine.hardware.timing import Timing, measure, wall_clock
from nasengine.hardware.torch_devices import Shape, cpu_model, images

NEEDS = ("onnx", "onnxscript", "onnxruntime")


def missing() -> list[str]:
    """The libraries that are not installed of those this device needs."""
    return [name for name in NEEDS if importlib.util.find_spec(name) is None]


@dataclass(frozen=True)
class OnnxRuntime:
    """ONNX Runtime with its own optimisations of the graph (batch norms go into convolutions, for example)."""

    threads: int
    batch: int = 1

    def facts(self) -> dict[str, Any]:
        """What the measured milliseconds belong to."""
        return {
            "device": "onnxruntime",
            "model": cpu_model(),
            "threads": self.threads,
            "batch": self.batch,
            "dtype": "float32",
            "onnxruntime": version("onnxruntime"),
            "torch": torch.__version__,  # its exporter writes the graph
        }

    def time(self, module: nn.Module, inputs: Sequence[Shape]) -> Timing:
        """Milliseconds of a run of the module's graph; `inputs` are shapes without the batch."""
        values = images(inputs, self.batch)
        session = self._session(onnx_bytes(module, values))
        feeds = {one.name: value.numpy() for one, value in zip(session.get_inputs(), values, strict=False)}
        return measure(lambda: session.run(None, feeds), wall_clock)

    def _session(self, graph: bytes) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def onnx_bytes(module: nn.Module, values: Sequence[Tensor]) -> bytes:
    """A module as an ONNX graph with its weights; raises ExportError where torch cannot write it."""
    log = logging.getLogger("torch.onnx")
    before, said = log.level, io.StringIO()
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stdout(said), redirect_stderr(said), torch.no_grad():
            warnings.simplefilter("ignore")  # of the exporter's own parts, about each other
            program = torch.onnx.export(module, tuple(values), dynamo=True, verbose=False)
    except Exception as error:
        first = (str(error).strip().splitlines() or ["no reason given"])[0]
        raise ExportError(
            f"onnxruntime: torch cannot write {type(module).__name__} as ONNX ({type(error).__name__}: {first}); "
            "measure on cpu, or leave the layer out of the space"
        ) from error
    finally:
        log.setLevel(before)
    assert program is not None
    return program.model_proto.SerializeToString()
