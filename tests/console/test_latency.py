"""The latency command, on a device whose milliseconds are counted."""

import json
from pathlib import Path
from typing import Any

import pytest

from nasengine.console.commands.latency import latency
from nasengine.console.measuring import NOISY
from nasengine.errors import NasError
from nasengine.hardware import figures
from nasengine.hardware.timing import Timing
from tests.hardware.places import Counting

PICKS = json.dumps(
    {f"{layer}.{what}": ["8" if what == "width" else "3"] for layer in "ab" for what in ("width", "kernel")}
)
SPACE = '''"""Tiny networks."""

from tests.hardware.places import tiny


def space(input=(1, 4, 4), classes=3):
    """Two convolutions."""
    return tiny()
'''


@pytest.fixture(autouse=True)
def counting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Counting:
    device = Counting()
    monkeypatch.setattr(figures, "find", lambda name, others=(): device)
    monkeypatch.delenv("NASENGINE_TABLES", raising=False)
    Path("tiny.py").write_text(SPACE)
    return device


def printed(capsys: pytest.CaptureFixture[str], **words: Any) -> tuple[str, str]:
    latency(space="./tiny.py", **words)
    said = capsys.readouterr()
    return said.out, said.err


def test_a_network_whole_and_by_layers(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = printed(capsys, architecture=PICKS)
    assert "707 parameters" in out and err == ""
    row = next(line for line in out.splitlines() if line.startswith("cpu")).split()
    assert row[1:4] == ["measured", "1.707", "ms"] and row[-1] == "+0.0%"
    slowest = out.splitlines()[out.splitlines().index("The slowest of 3 layers on cpu, each measured alone:") + 2]
    assert slowest.split()[:3] == ["b", "ConvNorm", "8x4x4"]


def test_the_same_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(printed(capsys, architecture=PICKS, device=["cpu", "cpu:1"], json=True)[0])
    one, other = found["devices"]
    assert (one["device"], other["device"]) == ("cpu", "cpu:1") and found["params"] == 707
    assert one["latency_ms"] == pytest.approx(1.707) and one["estimated_ms"] == pytest.approx(1.707)
    assert [layer["place"] for layer in one["layers"]] == ["b", "a", "head"]
    assert one["facts"]["correction"]["overhead"] == pytest.approx(1.0)


def test_a_network_is_measured_anew_every_time(capsys: pytest.CaptureFixture[str], counting: Counting) -> None:
    printed(capsys, architecture=PICKS)
    timed = counting.timed
    printed(capsys, architecture=PICKS)
    assert counting.timed == timed + 1


def test_how_good_the_table_is(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = printed(capsys, samples=5, folder="kept")
    row = next(line for line in out.splitlines() if line.startswith("cpu")).split()
    assert row[1] == "5" and row[3:5] == ["0.0%", "1.000"] and row[-1].startswith("kept/")
    found = json.loads(printed(capsys, samples=5, folder="kept", json=True)[0])["devices"][0]
    assert len(found["networks"]) == 5 and found["tau"] == pytest.approx(1.0)
    assert -1 <= found["tau_of_macs"] <= 1 and all(one["macs"] > 0 for one in found["networks"])


def test_a_noisy_machine_is_said(capsys: pytest.CaptureFixture[str], counting: Counting) -> None:
    counting.time = lambda module, inputs: Timing(1.0, 1.0, 1.01 + NOISY, 50)  # type: ignore[method-assign]
    assert "something else runs on this machine" in printed(capsys, architecture=PICKS)[1]


def test_what_is_refused() -> None:
    with pytest.raises(NasError, match="neither --architecture nor --samples came"):
        latency(space="./tiny.py")
    with pytest.raises(NasError, match='device "raspi4" of latency_ms: .* published for space tiny are none'):
        latency(space="./tiny.py", architecture=PICKS, device=["raspi4"])
