"""What a search shows while it runs: plain lines, or bars in a terminal."""

import io
from typing import Any

import pytest
from rich.console import Console

from nasengine.console import progress
from nasengine.console.epochs import cell_words
from nasengine.console.progress import Bars, Lines
from nasengine.job import Result

CELL = {
    "normal.node0.inputs": ["in0", "in1"],
    "normal.node0.in0.op": ["sep_conv_3x3"],
    "normal.node0.in1.op": ["skip_connect"],
    "normal.node1.inputs": ["in0", "node0"],
    "normal.node1.in0.op": ["dil_conv_5x5"],
    "normal.node1.node0.op": ["max_pool_3x3"],
}
EPOCH: dict[str, Any] = {
    "epoch": 3,
    "train_loss": 1.25,
    "train_accuracy": 0.5,
    "skip_share": 0.25,
    "gate_entropy": 0.75,
    "architecture": CELL,
}


@pytest.fixture
def minutes(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock: append what it shows from now on."""
    clock = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[-1])
    return clock


def test_a_supernets_epoch_is_one_plain_line(minutes: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines()
    lines.phase("supernet", 12)
    lines.epoch("supernet", {**EPOCH, "epoch": 2})  # the first one was trained before the search was stopped
    capsys.readouterr()
    minutes.append(20.0)
    lines.epoch("supernet", EPOCH)
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "supernet     3/12  loss 1.250  accuracy 0.500  skips 25%  entropy 0.75  normal sep3 ski | dil5 max3  "
        "1 min 30 s left\n"
    )


def test_candidates_show_the_best_so_far_failures_and_what_was_known(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines()
    lines.phase("candidates", 4)
    lines.epoch("candidates", EPOCH)
    lines.result(Result(0, {}, values={"validation_accuracy": 0.9}), None)
    lines.result(Result(1, {}, values={"validation_accuracy": 0.5}), "one, trial 3")
    lines.result(Result(2, {}, error="out of memory"), None)
    first, second, third = capsys.readouterr().err.splitlines()
    assert first.startswith("candidates   1/4  validation accuracy 0.9000  best 0.9000")
    assert "accuracy 0.5000  best 0.9000  (known from one, trial 3)" in second
    assert "3/4  failed: out of memory  best 0.9000" in third


def test_a_search_that_goes_on_counts_what_was_there(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines()
    lines.phase("candidates", 4)
    for number, value in enumerate((0.7, 0.9)):
        lines.recall(Result(number, {}, values={"validation_accuracy": value}))
    assert capsys.readouterr().err == ""
    lines.result(Result(2, {}, values={"validation_accuracy": 0.5}), None)
    assert capsys.readouterr().err.startswith("candidates   3/4  validation accuracy 0.5000  best 0.9000")


def test_a_cell_in_short() -> None:
    assert cell_words(CELL) == "normal sep3 ski | dil5 max3"
    stage = {"stage1.width": ["48"], "stage1.depth": ["2"], "stage1.0.mixer": ["attention"], "stage1.1.mixer": ["pool"]}
    assert cell_words(stage) == "stage1 48 2 | att | poo"


def test_bars_where_there_is_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=160)
    monkeypatch.setattr(progress, "err", lambda: console)
    shown = progress.listener()
    assert isinstance(shown, Bars)
    shown.phase("supernet", 12)
    shown.epoch("supernet", EPOCH)
    shown.note("worth reading")
    shown.close()
    text = screen.getvalue()
    assert "3/12" in text and "loss 1.250" in text and "worth reading" in text and "\x1b[" in text


def test_lines_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "err", lambda: Console(file=io.StringIO()))
    assert type(progress.listener()) is Lines
