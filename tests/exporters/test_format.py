"""Formats by name: unknown ones, missing packages, a user's own."""

from pathlib import Path

import pytest

from nasengine.errors import ExportError
from nasengine.exporters import format
from nasengine.exporters.format import formats_of

OWN = '''"""Shapes as text."""
class Shapes:
    files, needs, extra, tolerance, most, how = ("shapes.txt",), (), "", 1e-5, None, ""

    def write(self, leaving, folder):
        (folder / "shapes.txt").write_text(str(leaving.shape))

    def load(self, folder, leaving):
        return leaving.network
'''


def test_every_fault_is_told_at_once_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(format, "find_spec", lambda name: None)
    with pytest.raises(ExportError) as told:
        formats_of(["onyx", "source", "openvino", "onnx"])
    lines = str(told.value).splitlines()
    assert 'format "onyx" is unknown; there are executorch, onnx,' in lines[0] and 'Did you mean "onnx"?' in lines[0]
    assert "openvino is not installed; pip install 'nasengine[edge]'" in lines[1]
    assert "onnx, onnxscript, onnxruntime are not installed; pip install 'nasengine[export]'" in lines[2]
    with pytest.raises(ExportError, match="none came; give some of executorch, onnx"):
        formats_of([])


def test_a_users_file_is_a_format(tmp_path: Path) -> None:
    (tmp_path / "shapes.py").write_text(OWN)
    found = formats_of(["source", str(tmp_path / "shapes.py"), "source"])
    assert list(found) == ["source", str(tmp_path / "shapes.py")]
    assert type(found[str(tmp_path / "shapes.py")]).__name__ == "Shapes"
