"""What counts as the same network."""

import math

import pytest
import torch
from torch import nn

from nasengine.exporters.parity import Check, ParityError, differences, refuse_different

FINE = Check("onnx", ("model.onnx",), 10, 0.1, {1: 1e-7, 2: 3e-7}, 1e-4, 0.9, 0.9, 1000)


def check(**changes: object) -> Check:
    return Check(**{**vars(FINE), **changes})  # type: ignore[arg-type]


def test_differences_are_relative_to_the_output() -> None:
    network = nn.Flatten()
    found = differences(network, lambda images: network(images) * 1.01, (1, 2, 2), (1, 3))
    assert found == pytest.approx({1: 0.01, 3: 0.01}, rel=1e-3)
    assert differences(network, lambda images: images, (1, 2, 2), (1,)) == {1: math.inf}  # another shape


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, None),
        ({"differences": {1: 1e-7, 7: 2e-4}}, "onnx: it differs by 2.0e-04 of the output's size at batch 7"),
        ({"differences": {1: 1e-7, 2: math.nan}}, "onnx: it differs by nan of the output's size at batch 2"),
        ({"after": 0.896}, "onnx: 0.9000 on held-out data became 0.8960"),
        ({"after": 0.8985}, None),
        ({"after": 0.85, "images": 20}, None),  # one image
        ({"after": math.nan}, "became nan"),
        ({"before": math.nan, "after": math.nan}, None),
        ({"before": None, "after": None}, None),
    ],
)
def test_what_is_beyond_tolerance(changes: dict[str, object], told: str | None) -> None:
    fault = check(**changes).fault
    assert fault is None if told is None else fault is not None and told in fault


def test_all_formats_that_differ_are_told_at_once() -> None:
    refuse_different([FINE])
    wrong = [check(format="a", differences={1: 1.0}), FINE, check(format="b", differences={1: 2.0})]
    with pytest.raises(ParityError, match=r"(?s)a: it differs by 1.*b: it differs by 2") as told:
        refuse_different(wrong)
    assert told.value.checks == tuple(wrong)


def test_json_has_no_accuracy_where_none_was_measured() -> None:
    assert "held_out" not in check(after=None).to_json()
    assert FINE.to_json()["held_out"] == 0.9 and torch.tensor(FINE.to_json()["difference"]).item() > 0
