"""`nasengine init` writes a folder whose tests pass and whose search runs; it overwrites nothing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.console.typed import ROOT, good, nasengine

FILES = {"Makefile", "README.md", "data.py", "space.py", "strategy.py", "test_mine.py"}


def test_the_folder_is_written_whole_and_says_what_comes_next(tmp_path: Path) -> None:
    done = good("init", "mine")
    assert {path.name for path in Path("mine").iterdir()} == FILES
    assert {Path(line).name for line in done.out.splitlines()} == FILES
    assert "cd mine && make test" in done.err
    assert "#" in (tmp_path / "mine" / "Makefile").read_text()


def test_nothing_is_overwritten() -> None:
    Path("space.py").write_text("mine")
    Path("Makefile").write_text("mine")
    done = nasengine("init")
    assert done.code == 2
    assert "Makefile, space.py" in done.err and "Traceback" not in done.err
    assert {path.name for path in Path().iterdir()} == {"Makefile", "space.py"}
    assert Path("space.py").read_text() == "mine"


def test_a_file_or_a_closed_folder_is_refused_in_words(tmp_path: Path) -> None:
    Path("taken").write_text("")
    done = nasengine("init", "taken")
    assert done.code == 2 and "a file came" in done.err
    done = nasengine("init", "/proc/mine")
    assert done.code == 2 and "name a folder that can be written" in done.err


def typed(folder: Path, *words: str) -> str:
    """Type a make command in the folder, as somebody would whose shell finds this Python's commands."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["make", *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_the_search_of_the_folder_runs() -> None:
    good("init", "mine")
    said = typed(Path("mine"), "search", "TRIALS=2", "EPOCHS=1", "MORE=--limit 150 --recipe.epochs 1")
    assert "search mine, final network" in said
    assert Path("mine/results/nasengine.db").is_file()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_the_tests_of_the_folder_pass() -> None:
    good("init", "mine")
    assert "3 passed" in typed(Path("mine"), "test")
