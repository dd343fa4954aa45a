"""Where a table's name or path leads, and which mapping goes with it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nasengine.errors import TableError, did_you_mean
from nasengine.tables import nats
from nasengine.tables.mapping import TableMapping, read_mapping
from nasengine.tables.published import NATS, PUBLISHED
from nasengine.tables.reading import ENDINGS, Source, open_source

SHIPPED = {"digits": Path(__file__).with_name("digits.npz")}
FOLDER = "NASENGINE_TABLES"


def find(word: str) -> Path:
    """The file of a name or a path; raises TableError that lists the names there are."""
    path = Path(word).expanduser()
    if path.is_file() or nats.is_archive(path):
        return path
    if "/" not in word and not word.endswith(ENDINGS):
        name = word.lower().replace("-", "_")
        for place in [SHIPPED[name]] if name in SHIPPED else _below(name):
            if place.is_file():
                return place
    names = [*known()]
    hint = "" if word in PUBLISHED else did_you_mean(word, {*names, *PUBLISHED})
    raise TableError(
        f'table: "{word}" came, and no such file or name is there; by name there are {", ".join(names) or "none"}.'
        f"{hint} {_advice(word)}"
    )


def name_of(path: Path) -> str:
    """The name of a table: that of the published one whose file it is, or the file's."""
    published = (name for name, one in PUBLISHED.items() if path.name in one.files)
    return next(published, path.name.partition(".")[0])


def known() -> dict[str, Path]:
    """The tables that can be used by name, with their files."""
    found = {name: place for name, place in SHIPPED.items() if place.is_file()}
    root = _root()
    own = [entry.stem for entry in sorted(root.iterdir())] if root and root.is_dir() else []
    for name in dict.fromkeys([*PUBLISHED, *own]):
        place = next((one for one in _below(name) if one.is_file()), None)
        if place and name not in found and (name in PUBLISHED or _beside(place)):
            found[name] = place
    return found


def open_table(path: Path) -> Source:
    """Open whatever a table lies in: a file, or an archive of NATS-Bench."""
    return nats.open_archive(path) if nats.is_archive(path) else open_source(path)


def mapping_for(path: Path, given: "str | Path | dict[str, Any] | TableMapping | None", source: Source) -> TableMapping:
    """The mapping given (a file, a published table's name or its keys), else the one beside or in the file."""
    if isinstance(given, TableMapping):
        return given
    if isinstance(given, dict):
        return TableMapping.from_plain("given", given)
    if given is not None:
        name = str(given).lower().replace("-", "_")
        return PUBLISHED[name].mapping if name in PUBLISHED else read_mapping(Path(given).expanduser())
    if nats.is_archive(path):
        return NATS
    if beside := _beside(path):
        return read_mapping(beside)
    if source.mapping is not None:
        return TableMapping.from_plain(f"in {path}", source.mapping)
    for published in PUBLISHED.values():
        if path.name in published.files:
            return published.mapping
    raise TableError(
        f"table {path}: nothing says what its columns mean; write {path.with_suffix('.toml').name} beside it, or name "
        f"a mapping (--mapping FILE, or one of {', '.join(PUBLISHED)}); it has {', '.join(source.names)}"
    )


def _below(name: str) -> Iterator[Path]:
    """Where the table of a name may lie below NASENGINE_TABLES."""
    files = PUBLISHED[name].files if name in PUBLISHED else tuple(name + ending for ending in ENDINGS)
    if root := _root():
        for file in files:
            yield from (root / name / file, root / file)


def _beside(path: Path) -> Path | None:
    return next((one for ending in (".toml", ".json") if (one := path.with_suffix(ending)).is_file()), None)


def _root() -> Path | None:
    given = os.environ.get(FOLDER)
    return Path(given).expanduser() if given else None


def _advice(word: str) -> str:
    if not (root := _root()):
        return f"{FOLDER} is not set: set it to the folder where your tables lie."
    files = PUBLISHED[word].files if word in PUBLISHED else (f"{word}.parquet",)
    return f"Names are looked up in the folder {FOLDER} ({root}): {word}/{files[-1]} or {files[-1]} there."
