"""The picture of pairs: every point with its name, and refusals before anything is drawn."""

import importlib.util
from pathlib import Path

import pytest

from nasengine.bench.scatter import check_picture, write_scatter
from nasengine.errors import NasError


def test_every_pair_is_in_the_picture_and_the_same_picture_is_the_same_file(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    points, names = ([0.1, 0.2, 0.4], [0.3, 0.2, 0.9]), ["first", "second", "third"]
    paths = tmp_path / "a" / "one.svg", tmp_path / "two.svg"
    made = [write_scatter(*points, names, ("before", "after"), "so far", path) for path in paths]
    texts = [path.read_text() for path in made]
    assert all(word in texts[0] for word in ("first", "second", "third", "before", "after", "so far"))
    assert texts[0] == texts[1]


def test_what_cannot_be_drawn_is_refused_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NasError, match=r"x.jpg came; a file that ends in .svg, .png, .pdf"):
        check_picture(tmp_path / "x.jpg")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(NasError, match=r"without matplotlib; run pip install 'nasengine\[viz\]'"):
        check_picture(tmp_path / "x.svg")
