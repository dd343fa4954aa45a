"""Where a data set's name or path leads, and which reader opens it."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from nasengine.errors import DataError, did_you_mean
from nasengine.training import pictures, tables
from nasengine.training.raw import Raw

NAMES = ("digits", "fashion-mnist", "mnist")
# Debian's packages dataset-fashion-mnist and the like put their files here.
SYSTEM = Path("/usr/share/datasets")
_FASHION = ("T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
_READERS: dict[str, Callable[[Path], Raw]] = {".npz": tables.npz, ".parquet": pictures.parquet}


def read(source: str | Path | Sequence[Any]) -> Raw:
    """Return the images of a name, a path, or of arrays (images, labels[, test images, test labels])."""
    if not isinstance(source, str | Path):
        return _arrays(source)
    text = str(source)
    if text == "digits":
        return tables.digits()
    if text.startswith("hf:"):
        return pictures.hugging_face(text.removeprefix("hf:"))
    path = find(text)
    return _reader(path)(path)


def find(text: str) -> Path:
    """Return the file or folder of a path or name; DataError that lists the names there are."""
    path = Path(text).expanduser()
    if found := next((place for place in (path, *_below_roots(text)) if _is_data(place)), None):
        return found
    if path.is_dir():
        raise DataError(
            f"data {text}: a folder without data came; IDX files, or a folder of images for each class, are needed"
        )
    names = sorted({*NAMES, *known()})
    raise DataError(
        f'data: "{text}" came, and no such file, folder or name is there; a path, hf:owner/name, or '
        f"{', '.join(names)} is allowed.{did_you_mean(text, names)} Names are looked up in the folder NASENGINE_DATA "
        f"({os.environ.get('NASENGINE_DATA') or 'not set'}) and in {SYSTEM}"
    )


def known() -> dict[str, Path]:
    """The data sets that are found by name, with their places; `digits` is always there besides."""
    stems = sorted({entry.stem for root in _roots() if root.is_dir() for entry in root.iterdir()})
    places = {stem: next(filter(_is_data, _below_roots(stem)), None) for stem in stems}
    return {stem: place for stem, place in places.items() if place is not None}


def _roots() -> list[Path]:
    given = os.environ.get("NASENGINE_DATA")
    return [Path(given).expanduser(), SYSTEM] if given else [SYSTEM]


def _below_roots(name: str) -> list[Path]:
    words = dict.fromkeys((name, name.replace("-", "_"), name.replace("_", "-")))
    files = [Path(f"{word}{ending}") for word in words for ending in _READERS]
    inside = [*(Path(file.stem) / file for file in files), *map(Path, words), *files]
    return [root / place for root in _roots() for place in inside]


def _is_data(place: Path) -> bool:
    return place.is_file() or (place.is_dir() and _reader_of_folder(place) is not None)


def _reader(path: Path) -> Callable[[Path], Raw]:
    if path.is_dir() and (reader := _reader_of_folder(path)):
        return reader
    if path.suffix not in _READERS:
        raise DataError(f"data {path}: a file came; .npz, .parquet or a folder is allowed")
    return _READERS[path.suffix]


def _reader_of_folder(path: Path) -> Callable[[Path], Raw] | None:
    if tables.has_idx(path):
        names = _FASHION if "fashion" in path.name else ()
        return lambda folder: tables.idx(folder, names)
    return pictures.folder if pictures.has_classes(path) else None


def _arrays(source: Sequence[Any]) -> Raw:
    if len(source) not in (2, 4):
        raise DataError(f"data from arrays: {len(source)} came; images, labels[, test images, test labels] are allowed")
    arrays = [part.numpy(force=True) if isinstance(part, Tensor) else np.asarray(part) for part in source]
    return Raw(arrays[0], arrays[1], (arrays[2], arrays[3]) if len(arrays) == 4 else None)
