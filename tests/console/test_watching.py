"""A search followed from another terminal: what is new, until it ends."""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from nasengine.job import Result
from nasengine.ledger import Ledger, Trial
from nasengine.ledger.search_record import SearchRecord
from tests.console.typed import good, nasengine

FACTS = {"space": "small-cell", "strategy": "evolution", "data": "digits", "trials": 3, "epochs": 2, "command": "typed"}
CELL = {"cell.edge_0_1.op": ["conv_3x3"]}
Step = Callable[[SearchRecord], Any]


def candidate(number: int, accuracy: float, error: str | None = None) -> Step:
    values = {} if error else {"validation_accuracy": accuracy}
    result = Result(number, CELL, values=values, params=1234, macs=5678, seconds=2.0, error=error)
    return lambda record: record.record(result, value=None if error else accuracy)


def epoch(trial: int, number: int, **more: Any) -> Step:
    values = {"epoch": number, "train_loss": 2.0 / number, "train_accuracy": 0.1 * number, **more}
    return lambda record: record.epoch(trial, values)


@pytest.fixture
def follow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[int, str]]]:
    """`follow([step, …], *words)`: a driver takes one step whenever the watcher waits, and finishes after the last."""
    ledger = Ledger(tmp_path / "n.db")
    waits: list[float] = []

    def follow_it(steps: list[Step], *words: str, ready: list[Step] | None = None) -> tuple[int, str]:
        record = ledger.open_search("one", **FACTS)
        for step in ready or []:
            step(record)
        left = iter(steps)

        def wait(seconds: float) -> None:
            waits.append(seconds)
            step = next(left, None)
            (SearchRecord.finish if step is None else step)(record)

        monkeypatch.setattr("nasengine.console.watching.sleep", wait)
        done = nasengine("watch", *words, "--db", str(tmp_path / "n.db"))
        assert done.err == "" and all(seconds >= 0.5 for seconds in waits)
        return done.code, done.out

    yield follow_it
    ledger.close()


def test_a_line_for_each_trial_and_the_whole_in_the_end(follow: Callable[..., tuple[int, str]]) -> None:
    running: Step = lambda record: record.start(Trial(2, architecture=CELL))  # noqa: E731
    steps = [candidate(0, 0.5), candidate(1, 0.25), running, candidate(2, 0.0, "no memory")]
    code, out = follow(steps, "one", "--every", "0.5")
    lines = [line.strip() for line in out.splitlines()]
    assert code == 0 and lines[0] == "one: evolution in small-cell on digits: running"
    assert "candidates 1/3 trials  candidate 0: validation accuracy 0.5000, 2.0 s" in lines
    second = next(line for line in lines if "candidate 1:" in line)
    assert (
        second
        == "candidates 2/3 trials  candidate 1: validation accuracy 0.2500, 2.0 s  best validation accuracy 0.5000"
    )
    assert any(line.startswith("candidates 3/3 trials  candidate 2 failed: no memory") for line in lines)
    end = lines[lines.index("one: evolution in small-cell on digits: complete") :]
    assert any(line.startswith("best        candidate 0: validation accuracy 0.5000, 1,234 parameters") for line in end)


def test_a_supernet_by_its_epochs(follow: Callable[..., tuple[int, str]]) -> None:
    more = {"skip_share": 0.25, "gate_entropy": 0.9, "architecture": {"normal.node0.in0.op": ["sep_conv_3x3"]}}
    recipe = {"epochs": 3}
    ready: list[Step] = [lambda record: record.start(Trial(0, "supernet", recipe=recipe)), epoch(1, 1, **more)]
    code, out = follow([epoch(1, 2, **more), epoch(1, 3, **more)], "--every", "1", ready=ready)
    assert code == 0 and "1/3 epochs" in out
    for number, loss in ((2, "1.000"), (3, "0.667")):
        words = f"supernet {number}/3  loss {loss}  accuracy 0.{number}00  skips 25%  entropy 0.90  normal sep3"
        assert words in out


def test_json_is_an_object_for_each_change(follow: Callable[..., tuple[int, str]]) -> None:
    _, out = follow([candidate(0, 0.5), lambda record: None, candidate(1, 0.75)], "one", "--json")
    seen = [json.loads(line) for line in out.splitlines()]
    assert [(one["done"], one["running"]) for one in seen] == [(0, True), (1, True), (2, True), (2, False)]
    assert seen[-1]["best"]["trial"] == 1 and seen[-1]["trials"] == {"complete": 2} and seen[-1]["total"] == 3
    assert [one["trial"] for one in seen[-1]["last"]] == [0, 1] and seen[0]["best"] is None
    assert seen[0]["elapsed_seconds"] >= 0 and seen[-1]["elapsed_seconds"] is None


def test_a_live_view_in_a_terminal(follow: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(
        "nasengine.console.watching.out",
        lambda: Console(file=shown, force_terminal=True, width=150, highlight=False, markup=False),
    )
    started: Step = lambda record: record.start(Trial(2, architecture=CELL))  # noqa: E731
    ready = [candidate(0, 0.5), candidate(1, 0.6)]
    code, out = follow([started, epoch(3, 1), lambda record: None], "one", ready=ready)
    views = shown.getvalue()
    assert code == 0 and out == ""
    assert "2/3 trials, about 2.0 s left" in views and "━" in views
    assert "candidate 2: epoch 1  loss 2.000  accuracy 0.100" in views and ": complete" in views


def test_ctrl_c_leaves_the_search_alone(follow: Callable[..., tuple[int, str]]) -> None:
    def press(record: SearchRecord) -> None:
        raise KeyboardInterrupt

    code, out = follow([candidate(0, 0.5), press], "one")
    assert code == 0 and "Traceback" not in out and "complete" not in out


def test_ended_and_crashed_searches_are_shown_once(db: str, tmp_path: Path) -> None:
    done = good("watch", "--db", db)  # the newest, where none runs
    assert done.out.startswith("one: random-search in darts on digits: complete") and "test accuracy" in done.out
    assert len(good("watch", "one", "--db", db, "--json").out.splitlines()) == 1
    with Ledger(tmp_path / "n.db") as ledger:
        record = ledger.open_search("gone", **FACTS)
        record.start(Trial(0, architecture=CELL))
        record.stop()
    out = good("watch", "gone", "--db", str(tmp_path / "n.db")).out
    assert "gone: evolution in small-cell on digits: stopped" in out and "go on" in out and "typed" in out


def test_what_cannot_be_watched_is_named(db: str, tmp_path: Path) -> None:
    for words, parts in (
        (["on", "--db", db], ["on", "one", "Did you mean"]),
        (["--db", str(tmp_path / "no.db")], ["no.db"]),
        (["one", "--db", db, "--every", "0"], ["--every", "0"]),
    ):
        done = nasengine("watch", *words)
        assert done.code == 2 and [part for part in parts if part not in done.err] == [] and done.out == ""
