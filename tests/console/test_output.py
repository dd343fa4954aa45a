"""Words, numbers and JSON as they are printed."""

import json
import math
from typing import Any

import pytest

from nasengine.console import output
from nasengine.console.output import duration, emit, number, table


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""), (0.04, "0.0 s"), (9.94, "9.9 s"), (12.3, "12 s"), (59.4, "59 s"), (185, "3 min 05 s"),
        (3599.4, "59 min 59 s"), (7800, "2 h 10 min"),
    ],
)  # fmt: skip
def test_durations(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


def test_numbers() -> None:
    assert [number(one) for one in (3_444_814, 0.98765, 0, None)] == ["3,444,814", "0.9877", "0", ""]


def test_json_is_strict(capsys: pytest.CaptureFixture[str]) -> None:
    emit({"loss": math.nan, "count": 1_037_664_180**2, "options": ("a", "b")})
    found = json.loads(capsys.readouterr().out)
    assert found == {"loss": None, "count": 1_037_664_180**2, "options": ["a", "b"]}


def test_a_table_in_a_pipe_is_neither_cut_nor_coloured(capsys: pytest.CaptureFixture[str]) -> None:
    table(["name", "params"], [("x" * 150, "1,000"), ("[red]y", None)], right=["params"])
    out = capsys.readouterr().out
    assert "x" * 150 in out and "[red]y" in out and "\x1b" not in out and "…" not in out
    assert len(out.splitlines()) == 3


def test_a_long_table_is_printed_as_a_short_one(capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    rows = [("a", 1, "0.5"), ("bbb", 22, None), ("[x]", 3, "12")]
    table(["search", "trial", "acc"], rows, right=["trial", "acc"])
    short = capsys.readouterr().out
    monkeypatch.setattr(output, "MANY", 2)
    table(["search", "trial", "acc"], rows, right=["trial", "acc"])
    assert capsys.readouterr().out == short


def test_a_long_list_of_json_has_an_item_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"number": number, "loss": math.nan} for number in range(output.MANY + 1)]
    emit(rows)
    out = capsys.readouterr().out
    assert json.loads(out) == [{"number": number, "loss": None} for number in range(output.MANY + 1)]
    assert len(out.splitlines()) == output.MANY + 3
