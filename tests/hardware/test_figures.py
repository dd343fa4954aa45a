"""Figures of a network by the names under which searches use them."""

from pathlib import Path
from random import Random

import pytest

from nasengine.errors import NasError
from nasengine.hardware import figures as figures_module
from nasengine.hardware.figures import Figures, devices, values_of
from nasengine.interpreters.cost import cost
from nasengine.interpreters.liveness import peak_memory
from tests.hardware.places import Counting, tiny

SPACE = tiny()
ONE = SPACE.sample(Random(3))
LATENCY = "latency_ms@cpu"


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> Counting:
    device = Counting()
    monkeypatch.setattr(figures_module, "find", lambda name, others=(): device)
    monkeypatch.delenv("NASENGINE_TABLES", raising=False)
    return device


def test_estimates_are_looked_up_when_asked_again(counting: Counting, tmp_path: Path) -> None:
    figures = Figures(SPACE, ["params", "macs", LATENCY], folder=tmp_path)
    counted = cost(SPACE, ONE)
    found = figures.estimate(ONE)
    assert found == {"params": counted.params, "macs": counted.macs, LATENCY: pytest.approx(counted.params / 1000 + 1)}
    timed = counting.timed
    found["params"] = 0
    assert figures.estimate(ONE)["params"] == counted.params and counting.timed == timed


def test_memory_is_that_of_the_values_alive_at_once(tmp_path: Path) -> None:
    figures = Figures(SPACE, ["memory_bytes"], folder=tmp_path)
    assert figures.estimate(ONE) == figures.measure(ONE) == {"memory_bytes": peak_memory(SPACE, ONE)}
    assert list(tmp_path.iterdir()) == []


def test_measuring_runs_the_whole_network_once(counting: Counting, tmp_path: Path) -> None:
    figures = Figures(SPACE, [LATENCY, "params"], folder=tmp_path)
    measured = figures.measure(ONE)
    assert measured == {LATENCY: pytest.approx(cost(SPACE, ONE).params / 1000 + 1), "params": cost(SPACE, ONE).params}
    assert counting.timed == 1 and figures.measure(ONE) == measured and counting.timed == 1


def test_the_facts_say_where_a_figure_comes_from(counting: Counting, tmp_path: Path) -> None:
    facts = Figures(SPACE, ["params", LATENCY], folder=tmp_path).facts()
    assert list(facts) == [LATENCY] and facts[LATENCY]["device"] == "counting"
    assert Path(facts[LATENCY]["kept"]).parent == tmp_path


def test_every_wrong_name_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NASENGINE_TABLES", raising=False)
    with pytest.raises(NasError) as refused:
        Figures(SPACE, ["param", "latency_ms@cpuu", "energy_mj@cpu", "latency_ms", "params@cpu"], folder=tmp_path)
    lines = str(refused.value).splitlines()
    assert 'figure "param": known before training are params' in lines[0] and 'Did you mean "params"' in lines[0]
    assert 'device "cpuu" of latency_ms' in lines[1] and 'Did you mean "cpu"' in lines[1]
    assert "energy is known from published tables only" in lines[2] and "NASENGINE_TABLES" in lines[2]
    assert len(lines) == 5 and list(tmp_path.iterdir()) == []


def test_devices_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NASENGINE_TABLES", raising=False)
    assert [name for name, _ in devices()][0] == "cpu"
    assert values_of(SPACE, "cpu:2") == ["latency_ms@cpu:2"]


def test_a_real_device_from_end_to_end(tmp_path: Path) -> None:
    figures = Figures(SPACE, ["latency_ms@cpu:1"], folder=tmp_path)
    (estimate,), (measured,) = figures.estimate(ONE).values(), figures.measure(ONE).values()
    assert estimate > 0 and measured > 0
    assert figures.facts()["latency_ms@cpu:1"]["threads"] == 1
