"""The export command: figures of every format, exit codes, and a training at another scale before it."""

import json
import re
import sqlite3
from pathlib import Path

import pytest

from nasengine.exporters.formats.safetensors import Safetensors
from tests.console.typed import good, nasengine

USUAL = {"model.py", "hubconf.py", "model.safetensors", "architecture.json", "README.md"}


def test_export_writes_a_folder_and_says_how_it_compares(db: str, tmp_path: Path) -> None:
    done = good("export", "best", "--name", "one", "--to", "out", "--format", "source,safetensors,pt2", "--db", db)
    files = {path.name for path in (tmp_path / "out").iterdir()} - {"drawing.svg"}
    assert files == USUAL | {"model.pt2"} and all(name in done.out for name in files)
    assert "test accuracy before" in done.out and "at batch 1, 2, 7" in done.out and "359 test images" in done.out
    best = json.loads((tmp_path / "out" / "architecture.json").read_text())
    assert best["parity"] < 1e-5 and f"{best['parity']:.1e}" in done.out
    assert best["values"]["test_accuracy"] == pytest.approx(best["held_out"]["network"], abs=0.003)
    words = ["cost", "--architecture", "out/architecture.json", "--json"]
    assert good(*words).json["params"] == best["params"]  # at the scale it was found at
    assert good("cost", "--architecture", "one:best", "--db", db, "--json").json["params"] == best["params"]
    assert good(*words, "--space.layers", "4").json["params"] > best["params"]


def test_json_holds_what_the_folder_says(db: str, tmp_path: Path) -> None:
    done = good("export", "0", "--name", "one", "--to", "out", "--batch", "3", "--json", "--db", db)
    held = json.loads((tmp_path / "out" / "architecture.json").read_text())
    assert done.json["formats"] == held["formats"] and held["batch"] == 3
    assert held["held_out"]["part"] == "validation"  # a candidate has not seen the test
    assert {Path(path).name for path in done.json["files"]} - {"drawing.svg"} == USUAL


def test_a_format_that_is_not_the_network_is_exit_code_1_and_nothing_is_written(
    db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Safetensors.write

    def broken(self: Safetensors, leaving: object, folder: Path) -> None:
        write(self, leaving, folder)  # type: ignore[arg-type]
        path = folder / "model.safetensors"
        whole = path.read_bytes()
        path.write_bytes(whole[:-400] + b"\x00\x00\x80\x3f" * 100)

    monkeypatch.setattr(Safetensors, "write", broken)
    done = nasengine("export", "best", "--name", "one", "--to", "out", "--db", db)
    assert done.code == 1 and "safetensors: it differs by" in done.err and "nothing was kept" in done.err
    assert "safetensors" in done.out and "Traceback" not in done.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--format", "source,onyx"], 'format "onyx" is unknown'),
        (["--batch", "many"], '--batch came as "many"; dynamic or a whole number'),
        (["--image", "0"], "image came as 0"),
        (["--space.channels", "8", "--recipe.epochs", "1"], "--recipe.…, --space.… came; .* add --retrain"),
        (["--to", "file"], "file is a file; name a folder"),
        (["--to", "file", "--retrain"], "file is a file; name a folder"),
    ],
)
def test_bad_words_are_told_before_anything_begins(words: list[str], told: str, db: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = nasengine(
        "export", "best", "--name", "one", *([] if "--to" in words else ["--to", "out"]), *words, "--db", db
    )
    assert done.code == 2 and re.search(told, done.err), done.err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_retrain_trains_at_another_scale_first_and_the_card_says_both(db: str, tmp_path: Path) -> None:
    with sqlite3.connect(db) as connection:
        connection.execute("VACUUM INTO ?", [str(tmp_path / "own.db")])
    connection.close()
    command = ["export", "0", "--name", "one", "--to", "out", "--retrain", "--space.channels", "6"]
    command += ["--recipe.epochs", "1", "--db", str(tmp_path / "own.db")]
    good(*command)
    held = json.loads((tmp_path / "out" / "architecture.json").read_text())
    assert held["settings"]["channels"] == 6 and held["searched_at"]["settings"]["channels"] == 4
    assert held["searched_at"]["trial"] == "0" and held["params"] > held["searched_at"]["params"]
    assert held["held_out"]["part"] == "test" and held["search"].startswith("one-retrained-")
    card = (tmp_path / "out" / "README.md").read_text()
    assert "| channels | 4 | 6 |" in card and "searched at (one:0)" in card
    good(*command)  # trained already
    rows = good("results", "--name", held["search"], "--db", str(tmp_path / "own.db"), "--json").json
    assert len(rows) == 1
