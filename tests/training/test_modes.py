"""Precision by the recipe's word and the device; one rate of drop path for all layers that have one."""

import contextlib

import pytest
import torch
from torch import nn

from nasengine.layers.skip import DropPath, ScheduledDropPath
from nasengine.training.modes import autocast_for, set_drop_rate

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize(
    ("precision", "device", "cast"),
    [("auto", CPU, False), ("auto", CUDA, True), ("float32", CUDA, False), ("bfloat16", CPU, True)],
)
def test_where_a_forward_is_cast(
    precision: str, device: torch.device, cast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "autocast", lambda *words: words)
    within = autocast_for(precision, device)
    if cast:
        assert within == (device.type, torch.bfloat16)
    else:
        assert isinstance(within, contextlib.nullcontext)


def test_every_layer_that_drops_paths_hears_of_the_rate() -> None:
    model = nn.Sequential(DropPath(4), nn.Sequential(ScheduledDropPath(4, share=0.5)), nn.Dropout(0.1))
    set_drop_rate(model, 0.4)
    assert [model[0].rate, model[1][0].rate, model[2].p] == [0.4, 0.2, 0.1]
