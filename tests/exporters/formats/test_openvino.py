"""OpenVINO: nothing is sent to anyone."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

CONVERTED = """
import sys
from nasengine.exporters.formats.openvino import _library
openvino = _library()
from openvino.tools.ovc import convert_impl
print(convert_impl.tm.__name__)
"""


def test_its_telemetry_is_left_out() -> None:
    if find_spec("openvino") is None:  # importing it here would send word of that
        pytest.skip("openvino not installed (pip install 'nasengine[edge]')")
    done = subprocess.run(
        [sys.executable, "-c", CONVERTED], capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[3]
    )
    assert done.stdout.strip() == "openvino.tools.ovc.telemetry_stub", done.stderr
