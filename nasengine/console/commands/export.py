"""The export command with its flags."""

from typing import Annotated

from cyclopts import Parameter

from nasengine.console.flags import DB, Db, SearchName, Which


def export(
    trial: Which,
    /,
    *,
    to: Annotated[str, Parameter(help="The folder to write into.")],
    name: SearchName = None,
    db: Db = DB,
) -> None:
    """Write a network as a folder that needs torch alone, and check that it computes the same."""
    from nasengine.console.results import export as write

    write(trial, name, db, to)


COMMANDS = (export,)
