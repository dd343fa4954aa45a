"""A headless Chromium for the tests of pages, driven by Playwright; what a page complains of is kept."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass
class Tab:
    """A page of the browser: Playwright's own as `page`, and every error of its console and scripts."""

    page: Any
    errors: list[str] = field(default_factory=list)


def chromium() -> Path | None:
    """Debian's Chromium, or whatever Chrome is on the path."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    return Path(found) if found else None


@pytest.fixture(scope="module")
def chromium_browser(needs: Callable[[str], Path]) -> Iterator[Any]:
    """One browser for the tests of a file: Playwright keeps an asyncio loop running, which other tests cannot have."""
    program = needs("browser")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(program), args=[*QUIET])
        yield browser
        browser.close()


@pytest.fixture
def open_tab(chromium_browser: Any) -> Iterator[Callable[..., Tab]]:
    """`open_tab(address, width=1280, dark=False)`: a page that has loaded; closed with the test."""
    contexts = []

    def open_it(address: str, width: int = 1280, height: int = 900, dark: bool = False) -> Tab:
        scheme = "dark" if dark else "light"
        context = chromium_browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        contexts.append(context)
        tab = Tab(context.new_page())
        tab.page.on("console", lambda said: said.type == "error" and tab.errors.append(said.text))
        tab.page.on("pageerror", lambda error: tab.errors.append(str(error)))
        tab.page.goto(address, wait_until="load")
        return tab

    yield open_it
    for context in contexts:
        context.close()
