"""How good a table of layers is."""

import math
from pathlib import Path

import pytest

from nasengine.errors import NasError
from nasengine.hardware.agreement import Agreement, Compared, compare
from nasengine.hardware.layer_table import LayerTable
from nasengine.layers import Classifier, ConvNorm
from nasengine.space import Architecture, Space, chain, choose, op
from tests.hardware.places import Counting, tiny

NONE = Architecture({})


def test_a_device_that_adds_up_is_foretold_exactly(tmp_path: Path) -> None:
    agreement = compare(LayerTable(Counting(), tmp_path), tiny(), 6)
    assert len({one.architecture for one in agreement.networks}) == 6
    assert agreement.error == pytest.approx(0.0, abs=1e-9)
    assert agreement.tau == pytest.approx(1.0)


def test_error_and_tau_by_hand() -> None:
    agreement = Agreement((Compared(NONE, 1.0, 1.1, 30), Compared(NONE, 2.0, 1.0, 20), Compared(NONE, 4.0, 5.0, 10)))
    assert [one.error for one in agreement.networks] == pytest.approx([0.1, -0.5, 0.25])
    assert agreement.error == pytest.approx(0.25)
    assert agreement.tau == pytest.approx(1 / 3)  # two of three pairs in order
    assert agreement.tau_of_macs == -1.0
    assert math.isnan(Agreement((Compared(NONE, 1.0, 1.0, 5), Compared(NONE, 2.0, 2.0, 5))).tau_of_macs)


def test_too_few_networks_are_said(tmp_path: Path) -> None:
    table = LayerTable(Counting(), tmp_path)
    with pytest.raises(NasError, match="samples: 1 came; .* at least 2"):
        compare(table, tiny(), 1)
    few = Space("few", (1, 4, 4), chain(op(ConvNorm, width=choose("w", 2, 4)), op(Classifier, classes=2)))
    with pytest.raises(NasError, match="beyond the 2 networks that the table is fitted to"):
        compare(table, few, 5)
