"""`nasengine report`: the file, JSON, the newest search, and what cannot be done."""

import webbrowser
from pathlib import Path

import pytest

from tests.console.typed import good, nasengine


def test_the_newest_search_is_written_into_this_folder(db: str) -> None:
    pytest.importorskip("plotly")
    said = good("report", "--db", db).out
    assert said == "one.html\n"
    assert "one: report of a search" in Path("one.html").read_text()


def test_json_alone_writes_no_file(db: str) -> None:
    told = good("report", "one", "--json", "--db", db).json
    assert told["search"] == "one" and told["best"]["kind"] == "final" and not list(Path().iterdir())


def test_both_where_a_file_is_named(db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("plotly")
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    done = good("report", "one", "--json", "--open", "--to", "deep/r.html", "--db", db)
    assert done.json["search"] == "one" and done.err == "written: deep/r.html\n"
    assert opened == [Path("deep/r.html").absolute().as_uri()]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["report", "ones"], 'Did you mean "one"'),
        (["report", "--to", "r.pdf"], "--to r.html"),
    ],
)
def test_what_cannot_be_done_is_said(db: str, words: list[str], said: str) -> None:
    done = nasengine(*words, "--db", db)
    assert done.code == 2 and said in done.err and not list(Path().iterdir())
