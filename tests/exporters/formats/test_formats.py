"""Every format: written, read back, equal at any batch; a new file in the folder is tested by being there."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from nasengine import plugins
from nasengine.exporters.format import Format, Leaving
from nasengine.exporters.parity import differences
from nasengine.interpreters.model import Model
from tests.exporters.conftest import format_of

NAMES = [name for name, _ in plugins.listing("format")]


def test_the_formats_of_the_house() -> None:
    assert NAMES == ["executorch", "onnx", "openvino", "pt2", "safetensors", "source"]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_computes_what_the_network_computes(
    name: str, model: Model, leaving: Leaving, written: Callable[[str], Path], capfd: pytest.CaptureFixture[str]
) -> None:
    format, folder = format_of(name), written(name)
    assert sorted(path.name for path in folder.iterdir()) == sorted(format.files)
    found = differences(model, format.load(folder, leaving), leaving.shape, (1, 2, 7))
    assert found.keys() == {1, 2, 7} and max(found.values()) <= format.tolerance
    said = capfd.readouterr()
    assert said.out == "" and (name == "executorch" or said.err == "")


@pytest.fixture(scope="module")
def fixed(leaving: Leaving) -> Leaving:
    """The network for one image at a time; the formats share one trace of it."""
    return replace(leaving, batch=1, _programs={})


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("source", "safetensors")])
def test_a_batch_may_be_fixed(name: str, model: Model, fixed: Leaving, tmp_path: Path) -> None:
    format = format_of(name)
    format.write(fixed, tmp_path)
    run = format.load(tmp_path, fixed)
    assert differences(model, run, fixed.shape, (1,))[1] <= format.tolerance
    with pytest.raises(Exception, match=r"."):
        run(torch.randn(3, *fixed.shape))


@pytest.mark.parametrize("name", NAMES)
def test_a_card_says_how_to_load_it(name: str) -> None:
    format: Format = plugins.one_class("format", name)()
    text = format.how.format(shape="3, 32, 32", batch=2)
    assert "```python" in text and any(file in text for file in (*format.files, "from model import load"))
    compile(text.split("```python")[1].split("```")[0], name, "exec")
