"""The init command: copies the starter files into a folder, all of them or none."""

import os
import shlex
import shutil
import tempfile
from importlib.resources import as_file, files
from pathlib import Path

from nasengine.console.output import note, say
from nasengine.errors import NasError


def start(folder: str) -> None:
    """Write the files, and say what comes next; a file that is there already is never touched."""
    place = Path(folder).expanduser()
    if place.exists() and not place.is_dir():
        raise NasError(f"init {folder}: a file came; name a folder, new or without these files")
    with as_file(files("nasengine") / "starter") as starter:
        names = sorted(path.name for path in starter.iterdir() if path.is_file())
        there = [name for name in names if (place / name).exists()]
        if there:
            raise NasError(f"init {folder}: {', '.join(there)} there already; name another folder, or move them away")
        try:
            _copy(starter, names, place)
        except OSError as error:
            raise NasError(f"init {folder}: {error.strerror}; name a folder that can be written") from error
    say("\n".join(str(place / name) for name in names))
    inside = "" if place.resolve() == Path.cwd() else f"cd {shlex.quote(folder)} && "
    note(f"\nNext:\n  {inside}make test\n  {inside}make search")


def _copy(starter: Path, names: list[str], place: Path) -> None:
    """Copy the files beside their place first, so that a full disk leaves nothing half-written."""
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place, prefix=".nasengine-init-") as waiting:
        for name in names:
            shutil.copyfile(starter / name, Path(waiting) / name)
        for name in names:
            os.replace(Path(waiting) / name, place / name)
