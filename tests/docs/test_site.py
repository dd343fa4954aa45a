"""The documentation as a site: it builds without a warning, every page opens without an error, no link is dead."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser import Tab, chromium_browser, open_tab
from tests.docs.pages import ROOT, pages

__all__ = ["chromium_browser", "open_tab"]  # fixtures
LINK = re.compile(r"(?<!`)!?\[[^]\[]*\]\(([^)\s]+)\)")


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """What the headings of a page are called in links, on GitHub and on the site."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_leads_to_a_file_and_a_heading() -> None:
    dead = []
    for page in pages():
        for link in LINK.findall(prose(page)):
            path, _, anchor = link.partition("#")
            to = (page.parent / path).resolve() if path else page
            if not link.startswith(("http", "mailto")) and not (
                to.exists() and (not anchor or to.suffix != ".md" or anchor in anchors(to))
            ):
                dead.append(f"{page.relative_to(ROOT)}: {link}")
    assert not dead, "\n".join(dead)


def test_every_page_is_in_the_navigation() -> None:
    listed = set()
    for page in pages():
        for tree in re.findall(r"^```\{toctree\}\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE):
            names = [line for line in tree.splitlines() if line and not line.startswith(":")]
            listed |= {(page.parent / f"{name}.md").resolve() for name in names}
    forgotten = {path.resolve() for path in (ROOT / "docs").rglob("*.md")} - listed - {ROOT / "docs" / "index.md"}
    assert not forgotten, f"in no toctree of docs/index.md: {sorted(map(str, forgotten))}"


def test_pictures_are_small() -> None:
    sizes = {path.name: path.stat().st_size for path in (ROOT / "docs").rglob("*") if path.suffix in {".svg", ".png"}}
    assert max(sizes.values()) < 200_000
    assert sum(sizes.values()) < 2_000_000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "docs", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_site_builds_and_every_page_opens(site: Path, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab((site / "index.html").as_uri())
    found = sorted(site.rglob("*.html"))
    assert len(found) > 40
    for page in found:
        tab.page.goto(page.as_uri(), wait_until="load")
        assert tab.page.title(), page
        assert not tab.errors, f"{page.relative_to(site)}: {tab.errors}"
    asked = tab.page.evaluate("performance.getEntriesByType('resource').map(one => one.name)")
    assert all(address.startswith("file:") for address in asked), asked
