"""The dashboard command with its flags."""

from typing import Annotated

from cyclopts import Parameter

from nasengine.console.flags import DB, Db


def dashboard(
    *,
    db: Db = DB,
    host: Annotated[str, Parameter(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int | None, Parameter(help="Without, the first free one from 8080 on.")] = None,
) -> int:
    """Show the searches in optuna-dashboard, in the browser."""
    from nasengine.console.board import dashboard as serve

    return serve(db, host, port)


COMMANDS = (dashboard,)
