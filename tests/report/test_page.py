"""The page in a browser: complete, quiet, asking nobody, at two widths, in light and dark; what came in is not run."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nasengine.errors import NasError
from nasengine.report import page
from nasengine.report.contents import Contents, contents
from nasengine.report.findings import Findings
from tests.browser import Tab
from tests.report.made_up import EVIL

pytest.importorskip("plotly")
Find = Callable[[str], Findings]


def made(findings: Find, name: str) -> Contents:
    return contents(findings(name), "n.db")


@pytest.fixture(scope="session")
def pages(findings: Find, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The pages of the searches, by name."""
    folder = tmp_path_factory.mktemp("pages")
    names = (EVIL, "gradient", "begun", "stopped", "table")
    return {name: page.write(made(findings, name), folder / f"{n}.html") for n, name in enumerate(names)}


def drawn(tab: Tab) -> list[bool]:
    """Of each chart, whether it has something in it."""
    found: list[bool] = tab.page.evaluate("[...document.querySelectorAll('.chart')].map(c => !!c.querySelector('svg'))")
    return found


@pytest.mark.parametrize("name", [EVIL, "gradient"])
def test_the_page_fits_both_widths_in_light_and_dark(
    pages: dict[str, Path], open_tab: Callable[..., Tab], name: str
) -> None:
    tab = open_tab(pages[name].as_uri(), width=400)
    assert drawn(tab) and all(drawn(tab))
    for dark in (False, True):
        tab.page.emulate_media(color_scheme="dark" if dark else "light")
        for width in (400, 1280):
            tab.page.set_viewport_size({"width": width, "height": 900})
            tab.page.wait_for_function(f"document.documentElement.scrollWidth <= {width}")  # charts follow late
            tab.page.wait_for_timeout(120)
            assert tab.page.evaluate("document.documentElement.scrollWidth") <= width
        assert is_bright(tab, "body", "backgroundColor") != dark
        assert is_bright(tab, ".chart .xtick text", "fill") == dark
    assert tab.errors == []


def is_bright(tab: Tab, selector: str, colour: str) -> bool:
    """Whether an element's colour is nearer to white than to black."""
    found = tab.page.evaluate(f"getComputedStyle(document.querySelector('{selector}')).{colour}")
    return sum(map(int, re.findall(r"\d+", found)[:3])) > 3 * 128


def test_nothing_leaves_the_file_and_nothing_that_came_in_is_run(
    pages: dict[str, Path], open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab("about:blank")
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(request.url))
    tab.page.goto(pages[EVIL].as_uri(), wait_until="load")
    place = tab.page.locator(".chart .points path").first
    place.scroll_into_view_if_needed()
    place.hover(force=True)
    tab.page.wait_for_selector(".hoverlayer text")
    assert [url for url in asked if not url.startswith("data:")] == [pages[EVIL].as_uri()]
    assert tab.page.title() == f"{EVIL}: report of a search"  # the script in it says `stolen`
    assert tab.page.inner_text("h1") == EVIL
    assert tab.page.locator("main script").count() == 0
    assert tab.errors == []
    check_words(tab.page)


def check_words(page: Any) -> None:
    """Charts, pictures and scrolling boxes have names, heads of tables say of what, headings skip no level."""
    told = "[...document.querySelectorAll('[role=img], img, [role=region]')].map(e => e.ariaLabel || e.alt)"
    assert all(page.evaluate(told))
    assert all(page.evaluate("[...document.querySelectorAll('th')].map(th => th.scope)"))
    levels: list[int] = page.evaluate("[...document.querySelectorAll('h1, h2, h3')].map(h => +h.tagName[1])")
    assert levels[0] == 1 and all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))
    links = "[...document.querySelectorAll('nav a')].map(a => document.querySelectorAll(a.hash).length)"
    assert set(page.evaluate(links)) == {1}


def test_a_script_that_got_in_would_not_be_run(
    pages: dict[str, Path], open_tab: Callable[..., Tab], tmp_path: Path
) -> None:
    path = tmp_path / "broken.html"
    path.write_text(pages["begun"].read_text().replace("<main>", f"<main>{EVIL}"))
    tab = open_tab(path.as_uri())
    assert tab.page.title() == "begun: report of a search"
    assert len(tab.errors) == 1 and "Content Security Policy" in tab.errors[0]


def test_gates_say_their_strength_under_the_pointer(pages: dict[str, Path], open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(pages["gradient"].as_uri())
    canvas = tab.page.locator(".map canvas")
    assert canvas.count() == 28
    canvas.first.scroll_into_view_if_needed()
    canvas.first.hover(position={"x": 5, "y": 5})
    assert re.fullmatch(r"epoch 1\nnone: 0\.\d+", tab.page.inner_text("#tip"))
    colours = "c => new Set(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).size"
    assert canvas.first.evaluate(colours) > 10


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("begun", "No network is complete yet."),
        ("stopped", "It is stopped and not finished"),
        ("table", "answered by a table of published results"),
    ],
)
def test_unfinished_searches_have_a_page(pages: dict[str, Path], name: str, said: str) -> None:
    assert said in pages[name].read_text()


def test_what_cannot_be_written_is_said_and_leaves_nothing(findings: Find, tmp_path: Path) -> None:
    told = made(findings, "begun")
    (tmp_path / "file").touch()
    with pytest.raises(NasError, match="cannot be written .*--to"):
        page.write(told, tmp_path / "file" / "x.html")
    (tmp_path / "taken.html").mkdir()
    with pytest.raises(NasError, match="taken.html cannot be written"):
        page.write(told, tmp_path / "taken.html")
    with pytest.raises(NasError, match=r"--to .*x\.html"):
        page.write(told, tmp_path / "x.pdf")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "taken.html"]


def test_without_plotly_the_command_that_installs_it_is_named(
    findings: Find, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    told: Any = made(findings, "begun")
    monkeypatch.setitem(sys.modules, "plotly.graph_objects", None)
    with pytest.raises(NasError, match=r"pip install 'nasengine\[viz\]'"):
        page.write(told, tmp_path / "x.html")
    assert not list(tmp_path.iterdir())
