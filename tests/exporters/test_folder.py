"""An exported folder: it stands alone, computes the same, and is written whole or not at all."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from nasengine.errors import ExportError
from nasengine.exporters.folder import FILES, export
from nasengine.interpreters.model import Model
from nasengine.plugins import load_space
from nasengine.space import Architecture, Space, chain, op

FACTS = {
    "digest": "nas1:abc", "drawing": "in -> out", "values": {"test_accuracy": 0.98765}, "data": "digits", "seed": 3,
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


class Fickle(nn.Module):
    """A layer whose output depends on how often it was called."""

    calls = 0

    def __init__(self, channels: int):
        super().__init__()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        type(self).calls += 1
        return x.flatten(1)[:, :10] + self.calls


def trained(name: str = "darts", **settings: object) -> Model:
    """A network whose batch statistics are not those of a new one."""
    space = load_space(name, settings or {"channels": 4, "layers": 3, "auxiliary": True})
    model = Model(space, space.sample(random.Random(2))).train()
    with torch.no_grad():
        for _ in range(3):
            model(torch.randn(4, *space.input))
    return model


def test_a_folder_predicts_the_same_where_only_torch_and_safetensors_are(tmp_path: Path) -> None:
    model = trained()
    made = export(model, tmp_path / "new" / "out", facts=FACTS)
    assert made.parity <= 1e-5 and [path.name for path in made.files] == list(FILES)
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
        "in -> out", f"{made.params:,}", "| test accuracy | 0.9877 |", "digits", "| epochs | 5 |",
        "from model import load",
        "torch.randn(1, 3, 32, 32)", "| search | first |", "| normal.node0.inputs | in0, in1 |", "nas1:abc",
    ):  # fmt: skip
        assert words in card, words


def test_an_export_without_facts_leaves_out_what_is_not_known(tmp_path: Path) -> None:
    export(trained("nasbench201", channels=4, cells=1), tmp_path)
    card = (tmp_path / "README.md").read_text()
    assert "None" not in card and "## Recipe" not in card and "## Architecture" in card


def test_a_second_export_replaces_its_files_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    export(trained("nasbench201", channels=4, cells=1), tmp_path)
    before = (tmp_path / "model.py").read_text()
    export(trained("nasbench201", channels=8, cells=1), tmp_path)
    assert (tmp_path / "model.py").read_text() != before
    assert sorted(os.listdir(tmp_path)) == sorted([*FILES, "mine.txt"])


def test_a_network_that_differs_is_refused_and_nothing_stays(tmp_path: Path) -> None:
    model = Model(Space("fickle", (4, 6, 6), chain(op(Fickle))), Architecture({}))
    with pytest.raises(ExportError, match=r"parity: .* differs by .* at batch 1; at most 1e-05"):
        export(model, tmp_path / "new" / "out")
    assert os.listdir(tmp_path) == []


def test_a_file_that_cannot_be_imported_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = trained("nasbench201", channels=4, cells=1)
    monkeypatch.setattr("nasengine.exporters.folder.LOAD", "\n\nraise OSError('no such table')\n")
    with pytest.raises(ExportError, match=r"model\.py: .*OSError: no such table"):
        export(model, tmp_path)
    assert os.listdir(tmp_path) == []


def test_a_supernet_and_a_file_in_the_way_are_refused(tmp_path: Path) -> None:
    space = load_space("nasbench201", {"channels": 4, "cells": 1})
    with pytest.raises(ExportError, match="one network can leave"):
        export(Model(space), tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="is a file; name a folder"):
        export(trained("nasbench201", channels=4, cells=1), tmp_path / "file")


def test_a_network_in_double_precision_is_compared_in_single(tmp_path: Path) -> None:
    assert export(trained("nasbench201", channels=4, cells=1).double(), tmp_path).parity <= 1e-5


def test_random_numbers_go_on_as_if_nothing_was_exported(tmp_path: Path) -> None:
    model = trained("nasbench201", channels=4, cells=1)
    torch.manual_seed(1)
    wanted = torch.rand(1)
    torch.manual_seed(1)
    export(model, tmp_path)
    assert torch.equal(torch.rand(1), wanted)
