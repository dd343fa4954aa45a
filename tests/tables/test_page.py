"""The page about tables: a user who has nothing else gets a table of their own."""

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from nasengine.tables.mapping import TableMapping

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "tables.md").read_text(encoding="utf-8")
OWN = PAGE.partition("## Bring your own table")[2]
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", OWN, re.MULTILINE | re.DOTALL)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (space, _), (table, _), (mapping, _) = (
        [text for kind, text in BLOCKS if kind == wanted][:1] * 2 for wanted in ("python", "csv", "toml")
    )
    for name, text in (("kernels.py", space), ("kernels.csv", table), ("kernels.toml", mapping)):
        (tmp_path / name).write_text(text)
    return tmp_path


def test_the_example_prints_what_the_page_says(files: Path) -> None:
    code = [text for kind, text in BLOCKS if kind == "python"][1]
    expected = next(text for kind, text in BLOCKS if not kind)
    environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=files, env=environment, capture_output=True, text=True, timeout=120
    )
    assert (done.stdout, done.stderr) == (expected, "")


def test_every_key_is_explained() -> None:
    keys = {field.name for field in fields(TableMapping)}
    explained = set(
        re.findall(r"`(\w+)(?:\.N)?`", OWN.partition("### The mapping in full")[2].partition("### What")[0])
    )
    assert keys <= explained
