"""The commands that read what searches left: results, show."""

from typing import Annotated

from cyclopts import Parameter

from nasengine.console.flags import DB, PICK, Db, Dotted, Json, SearchName, Which
from nasengine.errors import NasError


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
    space: Annotated[str | None, Parameter(help="With --architecture: its space; without, darts.")] = None,
    architecture: Annotated[str | None, PICK] = None,
    draw: Annotated[str | None, Parameter(help="Draw the network into this .svg, .png or .pdf (needs dot).")] = None,
    json: Json = False,
    space_settings: Dotted = None,
) -> None:
    """Show one network: its drawing, figures and curve, where it comes from, and what comes next.

    A network of a search, by its number or name; or with --architecture a published one, or one in a file.
    """
    from nasengine.console.showing import show_architecture, show_trial

    if architecture is not None:
        show_architecture(space or "darts", architecture, space_settings or {}, db, draw, json)
    elif space is not None or space_settings:
        raise NasError("show: --space came without --architecture; give both, or the number of a search's network")
    else:
        show_trial(trial, name, db, draw, json)


COMMANDS = (
    results,
    show,
)
