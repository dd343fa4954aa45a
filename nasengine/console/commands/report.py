"""The report command with its flags."""

from typing import Annotated

from cyclopts import Parameter

from nasengine.console.flags import DB, Db, Json


def report(
    name: Annotated[str | None, Parameter(help="The search; without, the newest one.")] = None,
    /,
    *,
    to: Annotated[str | None, Parameter(help="The file, ending in .html; without, NAME.html in this folder.")] = None,
    open: Annotated[bool, Parameter(help="Show it in the browser.")] = False,
    db: Db = DB,
    json: Json = False,
) -> None:
    """Write one HTML file about a search, running or ended, that needs no network."""
    from nasengine.console.reporting import report as write

    write(name, to, open, db, json)


COMMANDS = (report,)
