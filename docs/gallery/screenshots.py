"""What a browser shows of two searches: their reports, and Optuna Dashboard."""

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from nasengine.console.board import application, catch_up_all, page_of, served
from nasengine.ledger import Ledger
from tests.browser import QUIET, chromium

HERE = Path(__file__).parent
GATES = shlex.split("--space small-cell --strategy darts --strategy.gate-rate 0.1 --epochs 25 --recipe.epochs 10")
FRONT = shlex.split(
    "--space small-cell --strategy nsga2 --objective accuracy --objective min:params --objective macs<200k "
    "--trials 24 --epochs 6 --limit 600 --recipe.epochs 6"
)
WIDTH = 1280
WAIT = 3000  # milliseconds; charts are drawn after the page has loaded
COLOURS = 128


def take(run: Callable[..., None]) -> None:
    """Two searches in the folder one is in, and five pictures of what is shown of them."""
    run("search", *GATES, "--name", "gates")
    run("search", *FRONT, "--name", "front")
    for name in ("gates", "front"):
        run("report", name)
    with browser() as page:
        reports(page)
        with dashboard() as address:
            studies(page, address("front"))


def reports(page: Any) -> None:
    page.goto(Path("gates.html").absolute().as_uri())
    page.wait_for_timeout(WAIT)
    keep(page, "report-top.png", height=740)
    keep(page, "report-gates.png", page.locator("#gates"), height=950)
    page.goto(Path("front.html").absolute().as_uri())
    page.wait_for_timeout(WAIT)
    keep(page, "report-front.png", page.locator("#trials .chart").first, height=380)


def studies(page: Any, study: str) -> None:
    page.goto(study)
    page.locator("#graph-pareto-front .point").first.wait_for()
    page.wait_for_timeout(WAIT)
    keep(page, "dashboard-front.png", height=650)
    page.set_viewport_size({"width": WIDTH, "height": 2000})
    page.goto(f"{study}/trials?numbers=2")
    page.get_by_text("candidate 2, complete").wait_for()
    page.wait_for_timeout(WAIT)
    keep(page, "dashboard-trial.png", height=1900)


def keep(page: Any, name: str, part: Any = None, height: int = 0) -> None:
    """A picture of the page from its top, or from where a part of it begins, with few colours."""
    top = part.bounding_box()["y"] + page.evaluate("window.scrollY") if part else 0
    clip = {"x": 0, "y": top, "width": WIDTH, "height": height}
    shot = Image.open(BytesIO(page.screenshot(clip=clip, full_page=True))).convert("RGB")
    shot.quantize(COLOURS, dither=Image.Dither.NONE).save(HERE / name, optimize=True)


@contextmanager
def browser() -> Iterator[Any]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(chromium()), args=[*QUIET])
        yield started.new_page(viewport={"width": WIDTH, "height": 900}, color_scheme="light")
        started.close()


@contextmanager
def dashboard() -> Iterator[Callable[[str], str]]:
    """What says the address of a search's page, as long as the block runs."""
    with Ledger("results/nasengine.db", create=False) as ledger:
        catch_up_all(ledger)
        storage, app = application(ledger)
        with served(app, "127.0.0.1", None) as address:
            yield lambda name: f"{address}/dashboard{page_of(storage, name)}"
        storage.remove_session()
        storage.engine.dispose()
