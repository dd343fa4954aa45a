"""An exported folder: it stands alone, computes the same, and is written whole or not at all."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from nasengine.errors import ExportError
from nasengine.exporters.folder import export
from nasengine.exporters.format import Leaving
from nasengine.exporters.formats.safetensors import Safetensors
from nasengine.exporters.parity import ParityError
from nasengine.interpreters import picture
from nasengine.interpreters.model import Model
from nasengine.plugins import load_space
from nasengine.space import Architecture, Space, chain, op
from tests.exporters.conftest import small, trained

FILES = ["README.md", "architecture.json", "hubconf.py", "model.py", "model.safetensors"]
FACTS = {
    "digest": "nas1:abc", "values": {"test_accuracy": 0.98765}, "data": "digits", "seed": 3,
    "recipe": {"epochs": 5, "betas": (0.98, 0.92, 0.99)}, "search": "first", "lineage": {"parent": 7},
}  # fmt: skip
ALONE = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] not in allowed:
            raise ImportError(name + " is not there")

import torch, safetensors.torch
allowed = {*sys.stdlib_module_names, "torch", "safetensors", "model"}
assert not any(name.startswith("nasengine") for name in sys.modules)
sys.meta_path.insert(0, Blocked())
sys.path.insert(0, sys.argv[1])
from model import Network, load

given = safetensors.torch.load_file(sys.argv[2])["images"]
with torch.no_grad():
    loaded = load()(given)
    other = Network()
    other.load_state_dict(safetensors.torch.load_file(sys.argv[1] + "/model.safetensors"))
    by_hand = other.eval()(given)
allowed.add("numpy")  # for writing the outputs down
safetensors.torch.save_file({"load": loaded, "by_hand": by_hand}, sys.argv[3])
try:
    import nasengine
except ImportError:
    print("alone")
"""


HUB = """
import sys, torch
first, second = sys.argv[1:]
network = torch.hub.load(first, "network", source="local")
other = torch.hub.load(second, "network", source="local")
new = torch.hub.load(first, "network", source="local", pretrained=False)
assert not any(name.startswith("nasengine") for name in sys.modules)
print(network.training, list(network(torch.zeros(2, 1, 8, 8)).shape), list(other(torch.zeros(1, 3, 32, 32)).shape))
print(new.training)
"""


@pytest.fixture(autouse=True)
def no_dot(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same files on every machine."""
    monkeypatch.setattr(picture, "has_dot", lambda: False)


class Fickle(nn.Module):
    """A layer whose output depends on how often it was called."""

    calls = 0

    def __init__(self, channels: int):
        super().__init__()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        type(self).calls += 1
        return x.flatten(1)[:, :10] + self.calls


def test_a_folder_predicts_the_same_where_only_torch_and_safetensors_are(tmp_path: Path) -> None:
    model = trained()
    made = export(model, tmp_path / "new" / "out", facts=FACTS)
    assert made.parity <= 1e-5 and sorted(path.name for path in made.files) == FILES
    images = torch.randn(2, 3, 32, 32)
    save_file({"images": images}, tmp_path / "in.safetensors")
    words = [str(made.folder), str(tmp_path / "in.safetensors"), str(tmp_path / "out.safetensors")]
    done = subprocess.run([sys.executable, "-I", "-c", ALONE, *words], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "alone\n"
    given = load_file(tmp_path / "out.safetensors")
    with torch.no_grad():
        wanted = model.eval()(images)
    torch.testing.assert_close(given["load"], wanted)
    torch.testing.assert_close(given["by_hand"], wanted)


def test_the_facts_are_written_down(tmp_path: Path) -> None:
    model = trained()
    made = export(model, tmp_path, facts=FACTS)
    held = json.loads((tmp_path / "architecture.json").read_text())
    assert Architecture.from_json(held["architecture"]) == model.picks
    assert held["space"] == "darts" and held["settings"]["channels"] == 4
    assert {name: held[name] for name in ("digest", "data", "seed", "lineage")} == {
        "digest": "nas1:abc", "data": "digits", "seed": 3, "lineage": {"parent": 7},
    }  # fmt: skip
    assert (held["params"], held["macs"], held["parity"]) == (made.params, made.macs, made.parity)
    assert held["params"] == sum(t.numel() for n, t in load_file(tmp_path / "model.safetensors").items()
                                 if n.rpartition(".")[2] in ("weight", "bias"))  # fmt: skip
    assert held["versions"]["torch"] == torch.__version__ and held["input"] == [3, 32, 32] and held["classes"] == 10
    with safe_open(tmp_path / "model.safetensors", "pt") as file:
        assert json.loads(file.metadata()["architecture"]) == held["architecture"]


def test_the_card_says_what_it_is_and_how_to_load_it(tmp_path: Path) -> None:
    made = export(trained(), tmp_path, facts=FACTS)
    card = (tmp_path / "README.md").read_text()
    for words in (
        "normal", f"{made.params:,}", "| test accuracy | 0.9877 |", "digits", "| epochs | 5 |",
        "from model import load",
        "torch.randn(1, 3, 32, 32)", "| search | first |", "| normal.node0.inputs | in0, in1 |", "nas1:abc",
    ):  # fmt: skip
        assert words in card, words


def test_an_export_without_facts_leaves_out_what_is_not_known(tmp_path: Path) -> None:
    export(small(), tmp_path)
    card = (tmp_path / "README.md").read_text()
    assert "None" not in card and "## Recipe" not in card and "## Architecture" in card and "## Data" not in card


def test_a_second_export_replaces_its_files_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    export(small(), tmp_path)
    before = (tmp_path / "model.py").read_text()
    export(trained("nasbench201", channels=8, cells=1), tmp_path)
    assert (tmp_path / "model.py").read_text() != before
    assert sorted(os.listdir(tmp_path)) == sorted([*FILES, "mine.txt"])


def test_formats_of_an_earlier_export_that_are_not_written_again_go(tmp_path: Path) -> None:
    export(small(), tmp_path, ["source", "safetensors", "pt2"])
    (tmp_path / "model.onnx").write_text("not ours")
    export(small(), tmp_path, ["safetensors"])
    assert sorted(os.listdir(tmp_path)) == ["README.md", "architecture.json", "model.onnx", "model.safetensors"]
    held = json.loads((tmp_path / "architecture.json").read_text())
    assert list(held["formats"]) == ["safetensors"]
    assert held["formats"]["safetensors"]["differences"].keys() == {"1", "2", "7"}


def test_a_network_that_differs_is_refused_and_nothing_stays(tmp_path: Path) -> None:
    model = Model(Space("fickle", (4, 6, 6), chain(op(Fickle))), Architecture({}))
    with pytest.raises(ParityError, match=r"(?s)source: it differs by .* at batch 1; at most 1e-05.*safetensors: it"):
        export(model, tmp_path / "new" / "out")
    assert os.listdir(tmp_path) == []


def test_weights_that_were_written_wrong_leave_the_folder_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(small(), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def broken(self: Safetensors, leaving: Leaving, folder: Path) -> None:
        weights = {name: tensor * 1.01 if tensor.dim() == 4 else tensor for name, tensor in leaving.weights.items()}
        save_file(weights, folder / "model.safetensors")

    monkeypatch.setattr(Safetensors, "write", broken)
    with pytest.raises(ParityError, match=r"safetensors: it differs by .* at batch \d") as told:
        export(small(), tmp_path)
    assert [check.fault is None for check in told.value.checks] == [True, False]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_file_that_cannot_be_imported_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nasengine.exporters.formats.source.LOAD", "\n\nraise OSError('no such table')\n")
    with pytest.raises(ExportError, match=r"model\.py: .*OSError: no such table"):
        export(small(), tmp_path)
    assert os.listdir(tmp_path) == []


def test_folders_load_through_torch_hub_where_nasengine_is_not(tmp_path: Path) -> None:
    export(small(), tmp_path / "first")
    export(trained(), tmp_path / "second")
    words = [str(tmp_path / "first"), str(tmp_path / "second")]
    done = subprocess.run([sys.executable, "-I", "-c", HUB, *words], capture_output=True, text=True, timeout=120)
    assert done.stdout == "False [2, 10] [1, 10]\nTrue\n", done.stderr


def test_the_card_shows_a_drawing_where_dot_is_there(
    tmp_path: Path, needs: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    needs("dot")
    monkeypatch.setattr(picture, "has_dot", lambda: True)
    made = export(small(), tmp_path)
    assert (tmp_path / "drawing.svg") in made.files and (tmp_path / "drawing.svg").read_text().startswith("<svg")
    assert "![The network](drawing.svg)" in (tmp_path / "README.md").read_text()


def test_everyone_may_read_what_the_card_s_readers_may(tmp_path: Path) -> None:
    export(small(), tmp_path)
    assert len({path.stat().st_mode for path in tmp_path.iterdir()}) == 1


def test_a_supernet_and_a_file_in_the_way_are_refused(tmp_path: Path) -> None:
    space = load_space("nasbench201", {"channels": 4, "cells": 1})
    with pytest.raises(ExportError, match="one network can leave"):
        export(Model(space), tmp_path)
    (tmp_path / "file").write_text("")
    for place in ("file", "file/in"):
        with pytest.raises(ExportError, match="is a file; name a folder"):
            export(small(), tmp_path / place)
    (tmp_path / "out" / "model.py").mkdir(parents=True)
    with pytest.raises(ExportError, match=r"model\.py is a folder.*move it"):
        export(small(), tmp_path / "out")
    with pytest.raises(ExportError, match="nothing can be written into /proc: "):
        export(small(), "/proc/out")


def test_a_network_in_double_precision_is_compared_in_single(tmp_path: Path) -> None:
    assert export(small().double(), tmp_path).parity <= 1e-5


def test_random_numbers_go_on_as_if_nothing_was_exported(tmp_path: Path) -> None:
    model = small()
    torch.manual_seed(1)
    wanted = torch.rand(1)
    torch.manual_seed(1)
    export(model, tmp_path)
    assert torch.equal(torch.rand(1), wanted)
