"""Weights from a file: what fits is taken, what does not is named, and the file is known by what it holds."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from nasengine.errors import RecipeError, TrainingError
from nasengine.training.pinned import file_of, pinned
from nasengine.training.recipe import Recipe, recipe
from nasengine.training.start import start_from_file


def network(classes: int = 4) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, classes))


@pytest.mark.parametrize("form", ["net.safetensors", "net.pt", "checkpoint.pth", "parallel.pt"])
def test_what_fits_by_name_and_shape_is_taken(form: str, tmp_path: Path) -> None:
    trained, fresh, path = network(), network(classes=7), tmp_path / form
    weights = trained.state_dict()
    if form == "net.safetensors":
        save_file(weights, path)
    elif form == "net.pt":
        torch.save(weights, path)
    elif form == "checkpoint.pth":
        torch.save({"epoch": 3, "state_dict": weights}, path)
    else:
        torch.save({f"module.{name}": tensor for name, tensor in weights.items()}, path)
    begun = fresh[3].weight.clone()
    started = start_from_file(fresh, path)
    assert (started.taken, started.wanted, started.left) == (7, 9, ("3.weight", "3.bias"))
    assert str(started) == "7 of 9 tensors came from the file; begun anew: 3.weight, 3.bias"
    assert torch.equal(fresh[0].weight, trained[0].weight) and torch.equal(fresh[3].weight, begun)


def test_a_file_of_which_nothing_fits_is_refused_with_the_reason(tmp_path: Path) -> None:
    torch.save({"0.weight": torch.zeros(5, 5)}, tmp_path / "shape.pt")
    with pytest.raises(TrainingError, match=r"none of its 1 tensors .*0.weight is \(5, 5\), the network's is \(2, 1"):
        start_from_file(network(), tmp_path / "shape.pt")
    torch.save({"stem.weight": torch.zeros(5)}, tmp_path / "names.pt")
    with pytest.raises(TrainingError, match="it holds stem.weight; the network has names such as 0.weight"):
        start_from_file(network(), tmp_path / "names.pt")


def test_what_is_no_file_of_tensors_is_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.pt").write_bytes(b"no weights")
    (tmp_path / "broken.safetensors").write_bytes(b"no weights")
    (tmp_path / "net.onnx").write_bytes(b"")
    for name, words in {"broken.pt": "not a readable", "broken.safetensors": "not a readable", "net.onnx": "ends in",
                        "missing.pt": "no such file"}.items():  # fmt: skip
        with pytest.raises(TrainingError, match=words):
            start_from_file(network(), tmp_path / name)


def test_a_recipe_knows_its_file_by_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    torch.save(network().state_dict(), path)
    made = recipe("proxy", start=str(path))
    assert file_of(made.start) == path.resolve() and Recipe.from_json(made.to_json()) == made
    assert pinned(made.start) == made.start
    assert "start" not in recipe("proxy").to_json()
    torch.save(network().state_dict(), path)
    with pytest.raises(RecipeError, match="holds other weights"):
        pinned(made.start)
    with pytest.raises(RecipeError, match="no such file"):
        recipe("proxy", start=str(tmp_path / "gone.pt"))
