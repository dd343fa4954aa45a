"""The page and the pictures: complete without a network, and the same for the same runs."""

import re
from pathlib import Path

import pytest

from nasengine.bench.page import write_page
from nasengine.bench.pictures import view, write_pictures
from tests.bench.test_comparison import compared

pytest.importorskip("plotly")
pytest.importorskip("matplotlib")


def test_the_page_needs_no_network_and_says_how_it_was_made(tmp_path: Path) -> None:
    path = write_page(
        compared(), "a < b", "All & everything.", "nasengine bench 'x<y'", {"cpus": 2, "git": None}, tmp_path
    )
    text = path.read_text()
    assert not re.search(r"<(?:script|link|img)[^>]*(?:src|href)=", text)
    assert len(text) > 1_000_000  # plotly.js is in it
    assert "<title>a &lt; b</title>" in text and "All &amp; everything." in text
    assert "nasengine bench &#x27;x&lt;y&#x27;" in text and "cpus 2" in text and "git" not in text.split("cpus 2")[1]
    assert "good beats bad" in text and "Duplicates cost a query" in text and "uniform draws, exactly" in text


def test_the_same_comparison_makes_the_same_pictures(tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    png, svg = write_pictures(compared(), "title", tmp_path)
    again = write_pictures(compared(), "title", tmp_path / "again")
    assert png.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert svg.read_bytes() == again[1].read_bytes()
    text = svg.read_text()
    assert "queries (duplicates count)" in text and "validation accuracy" in text and ">good<" in text


def test_the_view_leaves_out_how_bad_the_first_queries_were() -> None:
    made = compared(budget=1000)
    panel = made.panels()[0]
    low, high = view(panel, made.queries)
    assert low > panel.curves["bad"].mean[0] - 0.1 and high > panel.best > low
