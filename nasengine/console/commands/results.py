"""The commands that read what searches left: results, show."""

from typing import Annotated

from cyclopts import Parameter

from nasengine.console.flags import DB, Db, Json, SearchName, Which


def results(
    *,
    name: Annotated[str | None, Parameter(help="Only this search.")] = None,
    db: Db = DB,
    json: Json = False,
) -> None:
    """List what searches found."""
    from nasengine.console.results import results as show_results

    show_results(name, db, json)


def show(
    trial: Which = "best",
    /,
    *,
    name: SearchName = None,
    db: Db = DB,
    draw: Annotated[str | None, Parameter(help="Draw the network into this .svg, .png or .pdf (needs dot).")] = None,
    json: Json = False,
) -> None:
    """Show one network of a search: its drawing, its figures, where it comes from."""
    from nasengine.console.results import show as show_trial

    show_trial(trial, name, db, draw, json)


COMMANDS = (
    results,
    show,
)
