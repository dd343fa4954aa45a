"""Pictures of a made-up history."""

import json
from pathlib import Path

import pytest

from benchmarks import trend
from benchmarks.measure import Measured


def history(path: Path, ratios: list[float], cpus: list[str]) -> Path:
    runs = [
        {
            "date": f"2026-11-{30 - place}T10:00:00+00:00", "commit": f"{place:07x}{'0' * 33}-dirty", "cpu": cpu,
            "torch": "2.13", "figures": {"step": [
                {"name": "cifar", "ratio": ratio, "spread": 1.1, "goal": 3.3, "peer": "loop"},
                {"name": "memory", "ratio": ratio, "spread": 1.0, "goal": 9, "peer": "loop", "at_most": True},
            ]},
        } for place, (ratio, cpu) in enumerate(zip(ratios, cpus, strict=True))
    ]  # fmt: skip
    path.write_text("".join(json.dumps(run) + "\n" for run in runs))
    return path


def test_a_picture_has_a_panel_for_each_figure_and_names_its_goal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = history(tmp_path / "h.jsonl", [2.0, 3.0, 4.0], ["a", "a", "b"])
    assert trend.main(["--from", str(made), "--to", str(tmp_path / "out")]) == 0
    path = tmp_path / "out" / "step.svg"
    assert capsys.readouterr().out == f"{path}\n"
    text = path.read_text()
    assert all(words in text for words in ("cifar", "at least 3.3 x", "at most 9 x", "11-30", "0000000+", ">b<"))
    assert list(path.parent.iterdir()) == [path]


def test_titles_keep_to_their_panel_and_points_below_its_top(tmp_path: Path) -> None:
    figure = pytest.importorskip("matplotlib.figure")
    axes = figure.Figure().subplots()
    name = "supernet step, pr-darts, cifar, without native kernels"
    run = {"date": "2026-11-30T10:00:00+00:00", "commit": None, "cpu": "a"}
    trend._panel(axes, name, [(run, Measured(name, 4.0, 1.1, 2.5, "loop"))], {"a": "black"})
    assert max(map(len, axes.get_title("left").splitlines())) <= trend.WIDTH
    assert axes.get_ylim() == (0, pytest.approx(4.6))


def test_runs_stand_in_the_order_of_time(tmp_path: Path) -> None:
    made = trend.groups(trend.runs(history(tmp_path / "h.jsonl", [2.0, 3.0], ["a", "a"])))
    assert [figure.ratio for _, figure in made["step"]["cifar"]] == [3.0, 2.0]


def test_without_a_history_it_says_what_begins_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert trend.main(["--from", str(tmp_path / "none.jsonl")]) == 1
    assert "does not exist; run `make bench`" in capsys.readouterr().err


def test_without_matplotlib_it_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert trend.main(["--from", str(history(tmp_path / "h.jsonl", [2.0], ["a"]))]) == 1
    assert "pip install 'nasengine[viz]'" in capsys.readouterr().err
