"""Latency by layers, on a device whose milliseconds are counted."""

import time
from pathlib import Path
from random import Random

import pytest

from nasengine import plugins
from nasengine.hardware.correction import FITTED, draw
from nasengine.hardware.layer_table import LayerTable
from nasengine.interpreters.cost import cost
from tests.hardware.places import Counting, tiny

SPACE = tiny()
ONE = SPACE.sample(Random(3))


def test_layers_are_measured_once_and_add_up(tmp_path: Path) -> None:
    device = Counting()
    table = LayerTable(device, tmp_path)
    layers = table.layers(SPACE, ONE)
    assert set(layers) == {"a", "b", "head"}
    assert sum(layers.values()) == pytest.approx(cost(SPACE, ONE).params / 1000)
    timed = device.timed
    assert table.layers(SPACE, ONE) == layers and device.timed == timed


def test_a_network_is_the_corrected_sum_of_its_layers(tmp_path: Path) -> None:
    table = LayerTable(Counting(), tmp_path)
    correction = table.correction(SPACE)
    assert (correction.overhead, correction.factor) == pytest.approx((1.0, 1.0))
    assert correction.networks == FITTED
    assert table.estimate(SPACE, ONE) == pytest.approx(cost(SPACE, ONE).params / 1000 + 1.0)
    assert table.measure(SPACE, ONE).median == pytest.approx(table.estimate(SPACE, ONE))


def test_the_next_process_measures_nothing_again(tmp_path: Path) -> None:
    first, second = Counting(), Counting()
    wanted = LayerTable(first, tmp_path).estimate(SPACE, ONE)
    again = LayerTable(second, tmp_path)
    assert again.estimate(tiny(), ONE) == wanted
    assert first.timed > 0 and second.timed == 0
    assert again.measure(SPACE, draw(SPACE, 1, Random(0))[0]).runs == 50 and second.timed == 0
    again.measure(SPACE, ONE, again=True)
    assert second.timed == 1


def test_a_known_network_takes_no_building(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = LayerTable(Counting(), tmp_path)
    for one in SPACE.enumerate():
        table.estimate(SPACE, one)

    def refuse(*words: object) -> None:
        raise AssertionError("something was built")

    monkeypatch.setattr("nasengine.hardware.layer_table.build", refuse)
    monkeypatch.setattr("nasengine.hardware.program.network", refuse)
    began = time.perf_counter()
    table.estimate(SPACE, ONE)
    assert time.perf_counter() - began < 0.5  # hundreds of times what it takes


def test_layers_for_training_only_and_other_settings(tmp_path: Path) -> None:
    space = plugins.load_space("darts", {"input": (1, 8, 8), "channels": 4, "layers": 3, "drop_path": True})
    table = LayerTable(Counting(), tmp_path)
    layers = table.layers(space, space.sample(Random(0)))
    assert layers and not any("drop" in place for place in layers)
    assert {0.0} < set(layers.values())


def test_the_facts_name_the_device_and_the_correction(tmp_path: Path) -> None:
    table = LayerTable(Counting(threads=3), tmp_path)
    facts = table.facts(SPACE)
    assert facts["device"] == "counting" and facts["threads"] == 3 and "at least 50 runs" in facts["how"]
    assert "correction" not in facts
    table.estimate(SPACE, ONE)
    assert table.facts(SPACE)["correction"]["networks"] == FITTED
