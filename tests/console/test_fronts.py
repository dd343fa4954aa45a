"""The front of a search's candidates on the command line."""

import json
from pathlib import Path
from typing import Any

import pytest

from nasengine.console import front_words
from nasengine.errors import NasError

POINTS = [(0.5, 100), (0.6, 300), (0.4, 200), (0.7, 900), (0.6, 250)]


class Read:
    def __init__(self, *_: Any, **__: Any) -> None: ...

    def __enter__(self) -> "Read":
        return self

    def __exit__(self, *_: object) -> None: ...

    def search(self, name: str) -> dict[str, Any]:
        return {"goal": {"objectives": ["max:validation_accuracy", "min:params"], "reward": "soft"}}

    def figures(self, name: str) -> list[dict[str, Any]]:
        rows = [
            {"trial": number, "kind": "candidate", "state": "complete", "params": params, "macs": None, "seconds": 2.0,
             "values": {"validation_accuracy": accuracy}}
            for number, (accuracy, params) in enumerate(POINTS)
        ]  # fmt: skip
        return [*rows, {**rows[0], "trial": 5, "values": {}}, {**rows[0], "trial": 6, "kind": "final"}]


@pytest.fixture(autouse=True)
def _read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front_words, "Ledger", Read)


def test_the_front_is_told_with_what_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    front_words.show("one", [], [], None, "x.db", False)
    said = capsys.readouterr().out
    assert "one: 3 of 5 candidates are on the front of max:validation_accuracy and min:params" in said
    assert "0 that break a bound and 1 without all values" in said
    assert said.count("o\n") >= 1 and "params 100 to 900" in said
    assert "reference validation_accuracy 0.4, params 900" in said


def test_json_has_the_volume_after_every_result(capsys: pytest.CaptureFixture[str]) -> None:
    front_words.show("one", ["accuracy", "min:params", "params<800"][:2], [0.0, 1000.0], None, "x.db", True)
    told = json.loads(capsys.readouterr().out)
    assert [row["trial"] for row in told["front"]] == [3, 4, 0]
    assert [one["results"] for one in told["hypervolume"]] == [1, 2, 3, 4, 5]
    assert [one["value"] for one in told["hypervolume"]] == pytest.approx([450, 520, 520, 530, 535])
    assert told["hypervolume"][-1]["seconds"] == 10.0


def test_what_breaks_a_bound_is_counted_and_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    front_words.show("one", ["accuracy", "min:seconds", "params<260"], [], None, "x.db", True)
    told = json.loads(capsys.readouterr().out)
    assert (told["candidates"], told["infeasible"], told["lacking"]) == (3, 2, 1)


@pytest.mark.parametrize(
    ("objectives", "reference", "draw", "words"),
    [
        (["accuracy"], [], None, "a front has at least two objectives"),
        (["accuracy", "min:power"], [], None, "6 lack one of validation_accuracy, power; recorded are params, macs"),
        (["accuracy", "min:params"], [1.0], None, "give one for each of 2"),
        ([], [], "front.txt", "a picture's name ends in .svg"),
    ],
)
def test_what_makes_no_front_is_refused(
    objectives: list[str], reference: list[float], draw: str | None, words: str
) -> None:
    with pytest.raises(NasError, match=words):
        front_words.show("one", objectives, reference, draw, "x.db", False)


def test_it_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    front_words.show("one", [], [], str(tmp_path / "front.svg"), "x.db", False)
    assert "hypervolume" in (tmp_path / "front.svg").read_text()
