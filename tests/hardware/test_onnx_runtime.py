"""ONNX Runtime as a device: a network and its layers become graphs that compute the same."""

from random import Random

import pytest
import torch
from torch import Tensor, nn

from nasengine.errors import ExportError
from nasengine.hardware import program
from nasengine.hardware.onnx_runtime import OnnxRuntime, missing, onnx_bytes
from nasengine.hardware.torch_devices import images
from nasengine.interpreters.source import source
from tests.hardware.places import tiny

pytestmark = pytest.mark.skipif(bool(missing()), reason=f"not installed: {', '.join(missing())} (nasengine[export])")


def test_the_graph_computes_what_the_module_computes(capfd: pytest.CaptureFixture[str]) -> None:
    space = tiny()
    module = program.network(source(space, space.sample(Random(0))).text, space.input)
    values = images([space.input], 3)
    session = OnnxRuntime(1)._session(onnx_bytes(module, values))
    made = session.run(None, {session.get_inputs()[0].name: values[0].numpy()})[0]
    assert torch.allclose(torch.from_numpy(made), module(values[0]), atol=1e-5)
    said = capfd.readouterr()
    assert said.out == "" and said.err == ""


def test_runs_are_timed() -> None:
    assert OnnxRuntime(1).time(nn.Conv2d(1, 2, 3).eval(), [(1, 8, 8)]).runs >= 50


class Strange(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.linalg.eigvals(x).real


def test_what_cannot_be_written_is_said() -> None:
    with pytest.raises(ExportError, match=r"onnxruntime: torch cannot write Strange as ONNX .*measure on cpu"):
        onnx_bytes(Strange(), images([(1, 4, 4)], 1))
