"""optuna-dashboard on our searches, in a real browser: the list, histories, the Pareto front, a trial's page."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nasengine.console.board import application, catch_up_all, page_of, served
from nasengine.job import Result
from nasengine.ledger import Ledger
from nasengine.plugins import load_space
from nasengine.search.objective import Goal

SETTINGS: dict[str, Any] = {"input": [1, 8, 8], "classes": 10}
BOUND = 800
PARAMS = (500, 100, 600, 200, 300, 50)
KINDS = ("Infeasible Trial", "Feasible Trial", "Best Trial")
OpenTab = Callable[..., Any]


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory, needs: Callable[[str], Path]) -> Iterator[dict[str, str]]:
    """The addresses of the list of studies (""), and of the pages of `plain`, of one objective, and `front`, of two."""
    needs("dot")
    pytest.importorskip("optuna_dashboard")
    with Ledger(tmp_path_factory.mktemp("board") / "n.db") as ledger:
        record(ledger, "plain", ["accuracy"])
        record(ledger, "front", ["accuracy", "min:params", f"macs<{BOUND}"])
        catch_up_all(ledger)
        storage, app = application(ledger)
        with served(app, "127.0.0.1", None) as address:
            yield {name: f"{address}/dashboard{page_of(storage, name or None)}" for name in ("", "plain", "front")}
        storage.remove_session()
        storage.engine.dispose()


def record(ledger: Ledger, name: str, objectives: list[str]) -> None:
    """A search with six trained candidates, of which the last is beyond the bound, and the network it chose."""
    space, rng = load_space("small-cell", SETTINGS), random.Random(0)
    facts = {"strategy": "evolution", "settings": SETTINGS, "data": "digits", "evaluator": "train", "seed": 0}
    goal = Goal.parse(objectives).to_json()
    with ledger.open_search(name, space="small-cell", decisions=space.decisions, goal=goal, **facts) as search:
        for number in range(6):
            curve = [{"epoch": epoch, "validation_accuracy": (number + epoch) / 10} for epoch in (1, 2, 3)]
            sizes = {"params": PARAMS[number], "macs": BOUND - 250 + 60 * number, "seconds": 2.0}
            values = {"validation_accuracy": (number + 3) / 10}
            search.record(Result(number, space.sample(rng).to_json(), values=values, epochs=curve, **sizes), number)
        values = {"test_accuracy": 0.7}
        search.record(Result(4, space.sample(rng).to_json(), values=values, **sizes), kind="final")
        search.finish()


def plots(tab: Any, shown: str) -> Any:
    """The plots of a page, once one of them has this text."""
    tab.page.locator(".js-plotly-plot", has_text=shown).first.wait_for()
    return tab.page.locator(".js-plotly-plot")


def test_the_list_of_studies(dashboard: dict[str, str], open_tab: OpenTab) -> None:
    tab = open_tab(dashboard[""])
    tab.page.get_by_text("front", exact=False).first.wait_for()
    said = tab.page.inner_text("body")
    assert "Direction: MAXIMIZE, MINIMIZE" in said and "plain" in said
    assert tab.errors == []


def test_a_history_with_learning_curves(dashboard: dict[str, str], open_tab: OpenTab) -> None:
    tab = open_tab(dashboard["plain"])
    history = plots(tab, "Trial").filter(has_text="validation_accuracy").first
    assert history.locator(".scatterlayer .point").count() >= 7
    curves = plots(tab, "trial #0").filter(has_text="trial #5").first
    assert curves.locator(".scatterlayer .js-line").count() >= 6
    assert tab.errors == []


def test_a_pareto_front_where_broken_bounds_are_grey(dashboard: dict[str, str], open_tab: OpenTab) -> None:
    tab = open_tab(dashboard["front"])
    page = tab.page
    page.get_by_text("Pareto Front").wait_for()
    page.locator("#graph-pareto-front .scatterlayer .point").first.wait_for()
    drawn = page.evaluate("document.getElementById('graph-pareto-front').data.map(d => [d.hovertemplate, d.x.length])")
    found = {kind: points for hover, points in drawn for kind in KINDS if f"<extra>{kind}" in hover}
    assert found == {"Infeasible Trial": 2, "Feasible Trial": 2, "Best Trial": 3}
    assert plots(tab, "Learning curves").filter(has_text="candidate 5").count() == 1
    assert tab.errors == []


def test_the_page_of_a_trial(dashboard: dict[str, str], open_tab: OpenTab) -> None:
    tab = open_tab(f"{dashboard['front']}/trials?numbers=3", dark=True)
    tab.page.get_by_text("front: candidate 3, complete").wait_for()
    said = tab.page.inner_text("body")
    assert "nasengine export 3 --name front" in said and "Closest earlier candidate" in said
    assert "bound 800: kept" in said and "front-3.svg" in said
    picture = tab.page.locator("img[alt='front-3.svg']")
    picture.scroll_into_view_if_needed()
    assert picture.evaluate("async image => { await image.decode(); return image.naturalWidth }") > 100
    assert tab.errors == []
    with tab.page.expect_navigation():
        tab.page.get_by_text("The picture in full size").click()
    assert tab.page.evaluate("document.documentElement.tagName") == "svg"
