"""The compare command with its flags."""

from typing import Annotated

from cyclopts import Parameter

from nasengine.console.flags import DB, Db, Json


def compare(
    *names: str,
    by: Annotated[
        str, Parameter(help="What is made equal: cost (seconds of cores or GPUs), trials, or time (of the clock).")
    ] = "cost",
    draw: Annotated[str | None, Parameter(help="Draw the curves into this .svg, .png or .pdf.")] = None,
    db: Db = DB,
    json: Json = False,
) -> None:
    """Compare trained searches at equal cost, over seeds, or two networks side by side.

    Give names or patterns ("evo-*"): searches that differ in their seed alone are one group, and A+B=label makes one.
    Two networks are NAME:TRIAL and NAME:TRIAL. `nasengine bench` compares strategies on tables, where nothing is
    trained.
    """
    from nasengine.console.comparing import compare as run

    run(names, by, draw, db, json)


COMMANDS = (compare,)
