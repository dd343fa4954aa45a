"""Every strategy and every space has its place in the documentation, and the pages say what the files say now."""

import re
import tomllib

from docs.strategies.make import HERE, written
from nasengine import plugins
from tests.docs.pages import ROOT


def test_the_pages_are_those_that_the_script_writes() -> None:
    pages = written()
    stale = [name for name, text in pages.items() if not (HERE / name).is_file() or (HERE / name).read_text() != text]
    assert not stale, f"python -m docs.strategies.make has not been run: {stale}"
    assert {path.name for path in HERE.glob("*.md")} == set(pages)


def test_no_strategy_is_missing_and_none_is_invented() -> None:
    notes = tomllib.loads((HERE / "notes.toml").read_text())
    assert set(notes) == {name for name, _ in plugins.listing("strategy")}


def test_no_space_is_missing() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \|", (ROOT / "docs" / "spaces.md").read_text(), re.MULTILINE)
    assert {name for name, _ in plugins.listing("space")} <= set(rows)


def test_figures_of_the_pages_are_in_the_log() -> None:
    log = (ROOT / "results" / "log.md").read_text()
    for name, note in tomllib.loads((HERE / "notes.toml").read_text()).items():
        for figure in re.findall(r"\d+\.\d{2,}(?: ± \d\.\d+)?", note["measured"]):
            assert figure in log, f"{name}: {figure} is in no line of results/log.md"
