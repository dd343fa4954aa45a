"""The reproduce command with its flags."""

from typing import Annotated

from cyclopts import Parameter

from nasengine.console.flags import DB, Db, Json, Line


def reproduce(
    name: str,
    /,
    *,
    again: Annotated[str | None, Parameter(name="--as", help="The repetition's name; without, NAME-again.")] = None,
    limit: Annotated[
        int | None, Parameter(help="For a record that does not know its own: so many of the images.")
    ] = None,
    dry_run: Annotated[
        bool, Parameter(help="Say what would be repeated, and what differs already; begin nothing.")
    ] = False,
    db: Db = DB,
    json: Json = False,
    line: Line = "",
) -> int:
    """Repeat a search from its record, under a new name, and say what differs.

    Compared are surroundings, proposals, the values of every trial, the chosen network and its figures. The exit code
    is 0 where all that was found is the same to the last bit, and 1 where anything differs.
    """
    from nasengine.console.reproducing import reproduce as run

    return run(name, {"again": again, "limit": limit}, dry_run=dry_run, db=db, json=json, line=line)


COMMANDS = (reproduce,)
