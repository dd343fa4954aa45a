"""The watch command with its flags."""

from typing import Annotated

from cyclopts import Parameter, validators

from nasengine.console.flags import DB, Db, Json


def watch(
    name: Annotated[str | None, Parameter(help="The search; without, the newest that runs.")] = None,
    /,
    *,
    every: Annotated[
        float, Parameter(help="Seconds between two looks at the database.", validator=validators.Number(gt=0))
    ] = 2.0,
    db: Db = DB,
    json: Json = False,
) -> int:
    """Follow a running search from another terminal, until it ends or Ctrl-C.

    Only the database is read; the search is not disturbed. Where there is no terminal, a line is printed for whatever
    is new; with --json an object on a line of its own. A search that ended is shown once.
    """
    from nasengine.console.watching import watch as follow

    return follow(name, db, every, json)


COMMANDS = (watch,)
