"""Weights that start from trained ones: whole where shapes agree, else what both have."""

from pathlib import Path

import pytest
import torch
from torch import nn

from nasengine.errors import ExportError
from nasengine.interpreters.weights import save_weights, start_from


def net(width: int, kernel: int, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    stem = nn.Sequential(nn.Conv2d(1, width, kernel), nn.BatchNorm2d(width))
    return nn.ModuleDict({"stem": stem, "head": nn.Linear(width, 3)})


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(save_weights(net(4, 5, 1), tmp_path / "trained.safetensors"))


def test_equal_shapes_are_copied_whole_and_other_places_left_alone(file: str) -> None:
    model, before, trained = net(4, 5, 0), net(4, 5, 0).state_dict(), net(4, 5, 1).state_dict()
    start_from(model, {"stem": [file, "stem"]})
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, (trained if name.startswith("stem") else before)[name]), name


@pytest.mark.parametrize(("width", "kernel"), [(6, 3), (2, 7), (4, 3)])
def test_unequal_shapes_share_leading_channels_and_the_central_window(width: int, kernel: int, file: str) -> None:
    model, before = net(width, kernel, 0), net(width, kernel, 0)["stem"][0].weight
    trained = net(4, 5, 1)["stem"][0].weight
    start_from(model, {"stem": [file, "stem"]})
    weight, both, window = model["stem"][0].weight, min(width, 4), min(kernel, 5)
    inner, outer = (kernel - window) // 2, (5 - window) // 2
    mine = (slice(both), slice(None), slice(inner, inner + window), slice(inner, inner + window))
    theirs = (slice(both), slice(None), slice(outer, outer + window), slice(outer, outer + window))
    assert torch.equal(weight[mine], trained[theirs])
    untouched = torch.ones_like(weight, dtype=torch.bool)
    untouched[mine] = False
    assert torch.equal(weight[untouched], before[untouched])


def test_another_place_is_a_source_and_names_without_counterpart_keep_their_values(file: str) -> None:
    model, before = nn.ModuleDict({"a": nn.Linear(4, 3), "b": nn.PReLU(4)}), 0.25
    start_from(model, {"a": [file, "head"], "b": [file, "head"]})  # both have a weight; of another rank in b
    assert torch.equal(model["a"].weight, net(4, 5, 1)["head"].weight)
    assert torch.equal(model["b"].weight, torch.full((4,), before))


def test_a_file_or_a_place_that_is_not_there_is_named(file: str, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="gone.safetensors: there is no such file"):
        start_from(net(4, 5, 0), {"stem": [str(tmp_path / "gone.safetensors"), "stem"]})
    with pytest.raises(ExportError, match="no parameters at 'stm'"):
        start_from(net(4, 5, 0), {"stm": [file, "stem"]})
    start_from(net(4, 5, 0), {})
