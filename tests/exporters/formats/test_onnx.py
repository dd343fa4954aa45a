"""ONNX: one file, with the names and the open batch that others rely on."""

from collections.abc import Callable
from pathlib import Path

import pytest


def test_the_graph_has_names_and_an_open_batch(written: Callable[[str], Path]) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    folder = written("onnx")
    assert [path.name for path in folder.iterdir()] == ["model.onnx"]  # weights inside
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    (given,), (taken,) = session.get_inputs(), session.get_outputs()
    assert (given.name, given.shape) == ("images", ["batch", 1, 8, 8])
    assert (taken.name, taken.shape) == ("outputs", ["batch", 10])
