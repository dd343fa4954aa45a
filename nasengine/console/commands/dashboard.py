"""The dashboard command with its flags."""

from typing import Annotated

from cyclopts import Parameter

from nasengine.console.flags import DB, Db


def dashboard(
    name: Annotated[str | None, Parameter(help="The search whose page is opened; without, the list of all.")] = None,
    /,
    *,
    db: Db = DB,
    host: Annotated[str, Parameter(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int | None, Parameter(help="Without, the first free one from 8080 on.")] = None,
    open: Annotated[bool, Parameter(negative="--no-open", help="Open the page in the browser.")] = True,
) -> int:
    """Show the searches in optuna-dashboard, in the browser: plots, Pareto front, every trial with its picture."""
    from nasengine.console.board import dashboard as serve

    return serve(name, db, host, port, opened=open)


COMMANDS = (dashboard,)
