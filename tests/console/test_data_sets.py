"""The data command: what a set is, in words and in JSON, and what is wrong with it."""

import json
from pathlib import Path

import numpy as np
import pytest

from nasengine.console import exits
from tests.console.typed import good, nasengine
from tests.training.drawn import draw, draw_folder


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NASENGINE_CACHE", str(tmp_path / "cache"))


def test_a_folder_in_words(tmp_path: Path) -> None:
    draw_folder(tmp_path / "set", count=40)
    for number in range(4):
        draw(tmp_path / "set" / "dog" / f"{number}.png", seed=number)
    (tmp_path / "set" / "bee" / "7.png").write_text("no picture")
    done = nasengine("data", "set")
    assert done.code == exits.BAD_INPUT
    assert "bee/7.png is no readable picture" in done.err
    assert "Traceback" not in done.err
    done = good("data", "set", "--data.skip-damaged", "true", "--data.memory", "1KB")
    for line in (
        "task         classification, 4 classes",
        "images       3 x 6 x 5 (channels, height, width)",
        "parts        train 74, validation 24, test 25",
        "split        20% of all for test, 25% of the rest for validation; seed 0",
        "left out     1 damaged: set/bee/7.png",
    ):
        assert line in done.out
    assert f"on disk, in {tmp_path / 'cache'}" in done.out
    assert [row.split() for row in done.out.splitlines() if row.startswith(("ant", "dog"))] == [
        ["ant", "24", "8", "8"],
        ["dog", "2", "1", "1"],
    ]
    assert "imbalance    12.0 to 1" in done.out
    assert "classes are uneven, 12.0 to 1: ant has 24 training images, dog 2" in done.err
    assert "removed from" in good("data", "--clear").out
    assert json.loads(good("data", "--clear", "--json").out)["removed_bytes"] == 0


def test_a_regression_in_json(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    np.savez(
        tmp_path / "ages.npz", x=random.integers(0, 256, (40, 6, 5, 2), dtype=np.uint8), y=random.normal(40, 9, 40)
    )
    found = json.loads(good("data", "ages.npz", "--data.test", "0.5", "--limit", "10", "--json").out)
    assert (found["task"], found["input"], found["outputs"], found["names"]) == ("regression", [2, 6, 5], 1, ["0"])
    assert found["images"] == {"train": 8, "validation": 2, "test": 20}
    assert found["split"] == {"seed": 0, "limit": 10, "validation": 0.25, "test": 0.5}
    assert found["classes"] == {"train": None, "validation": None, "test": None}
    assert found["imbalance"] is None and found["streamed"] is None and found["bytes"] == 4 * 2 * 6 * 5 * 30
    assert "targets      mean 4" in good("data", "ages.npz").out


def test_many_classes_are_counted_and_official_parts_named(tmp_path: Path) -> None:
    images, labels = np.zeros((120, 4, 4), np.uint8), np.arange(120) % 25
    np.savez(tmp_path / "many.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    out = good("data", "many.npz").out
    assert "… and 5 more classes" in out
    assert "test as the set brings them, 25% of the rest for validation; seed 0" in out
