"""A file by its name and what is in it, so that a record of the name says when the file is another one."""

import hashlib
from functools import lru_cache
from pathlib import Path

from nasengine.errors import RecipeError

MARK = "#sha256="
DIGITS = 16  # of the 64


def pinned(text: str) -> str:
    """Return a file's full name with the beginning of its SHA-256 behind it; what is that already is checked.

    Raises RecipeError where there is no such file, or where it has changed.
    """
    name, _, known = text.partition(MARK)
    path = Path(name).expanduser()
    if not path.is_file():
        raise RecipeError(f'recipe.start: "{name}" came, and there is no such file; a .safetensors or .pt is allowed')
    stat = path.stat()
    found = _digest(path.resolve(), stat.st_mtime_ns, stat.st_size)[:DIGITS]
    if known and found != known:
        raise RecipeError(
            f"recipe.start: {name} holds other weights ({found}) than were recorded ({known}); put the former file "
            "back, or begin under a new name"
        )
    return f"{path.resolve()}{MARK}{found}"


def file_of(text: str) -> Path:
    """Return the file that a pinned name is of."""
    return Path(text.partition(MARK)[0])


@lru_cache(maxsize=8)
def _digest(path: Path, changed: int, size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
