"""Commands with their flags, a file for one or a few that belong together: a new file is a new command.

Each file lists its functions in COMMANDS and imports nothing heavy; what a command does lies beside this folder.
"""

import pkgutil
from collections.abc import Callable
from importlib import import_module
from typing import Any


def all_of_them() -> list[Callable[..., Any]]:
    """Every function in the COMMANDS of a file of this folder."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return [command for name in names for command in import_module(f"{__name__}.{name}").COMMANDS]
