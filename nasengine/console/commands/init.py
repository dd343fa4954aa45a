"""The init command with its flags."""

from typing import Annotated

from cyclopts import Parameter


def init(folder: Annotated[str, Parameter(help="Where; without, this folder.")] = ".", /) -> None:
    """Write a folder to start from: a space, a strategy, a data hook, a Makefile, and tests that pass."""
    from nasengine.console.starting import start

    start(folder)


COMMANDS = (init,)
