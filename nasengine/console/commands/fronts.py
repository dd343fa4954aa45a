"""The command for the front of a search's candidates, with its flags."""

from typing import Annotated

from cyclopts import Parameter

from nasengine.console.flags import DB, Db, Json


def pareto(
    name: str,
    /,
    *,
    objective: Annotated[
        list[str] | None,
        Parameter(help="Instead of the search's own: accuracy, min:VALUE, VALUE<BOUND; again for more."),
    ] = None,
    reference: Annotated[
        list[float] | None, Parameter(help="Where volumes begin, a number for each objective; else the worst of each.")
    ] = None,
    draw: Annotated[
        str | None, Parameter(help="Write the front and its volume over time as a picture: .svg, .png.")
    ] = None,
    db: Db = DB,
    json: Json = False,
) -> None:
    """Show which of a search's networks no other one beats in everything, and how much they cover over time."""
    from nasengine.console.front_words import show

    show(name, objective or [], reference or [], draw, db, json)


COMMANDS = (pareto,)
