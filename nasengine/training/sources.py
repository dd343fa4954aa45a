"""Where a data set's name or path leads, and which reader opens it."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from nasengine.errors import DataError, did_you_mean
from nasengine.training import data_words, hub, pictures, tables
from nasengine.training.dataset import Dataset
from nasengine.training.gathered import arrays, gathered
from nasengine.training.hook import blamed, make
from nasengine.training.listed import listed
from nasengine.training.raw import Raw
from nasengine.training.reading import Reading

NAMES = ("digits", "shapes", "fashion-mnist", "mnist")
MADE = {"shapes": "nasengine.training.shapes:make_data"}
# Debian's packages dataset-fashion-mnist and the like put their files here.
SYSTEM = Path("/usr/share/datasets")
_FASHION = ("T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
Reader = Callable[[Path, Reading], Raw]
_READERS: dict[str, Reader] = {
    ".npz": tables.npz, ".parquet": pictures.parquet, ".csv": listed, ".tsv": listed,
}  # fmt: skip
_FOUND = (".npz", ".parquet")  # endings that a name in the data folder may stand for


def read(source: str | Path | Sequence[Any], reading: Reading) -> Raw | Dataset:
    """Return the images of a name, a path, or of arrays (images, labels[, test images, test labels]).

    What the options in a text say goes into `reading.options`.
    """
    if not isinstance(source, str | Path):
        return arrays(source)
    text = str(source)
    name, words = data_words.taken_apart(text)
    name = MADE.get(name, name)
    if data_words.is_hook(name):
        made, words = make(name, words, reading.place)
        reading.options = data_words.read(text, words)
        if isinstance(made, Dataset):
            return replace(made, name=text)
        return _as_task(_taken(made, reading), reading)
    reading.options = data_words.read(text, words)
    if name == "digits":
        return _as_task(tables.digits(), reading)
    if name.startswith("hf:"):
        return _as_task(hub.hugging_face(name.removeprefix("hf:"), reading), reading)
    path = find(name)
    return _as_task(_reader(path, reading)(path, reading), reading)


def _taken(made: Any, reading: Reading) -> Raw:
    """The set of what a function returned, whose own code may still run, item by item."""
    try:
        return gathered(made, reading)
    except DataError:
        raise
    except Exception as error:
        raise blamed(error, reading.place) from error


def _as_task(raw: Raw, reading: Reading) -> Raw:
    """The set with the task that was asked for."""
    return raw if reading.options.task is None else replace(raw, task=reading.options.task)


def find(text: str) -> Path:
    """Return the file or folder of a path or name; DataError that lists the names there are."""
    path = Path(text).expanduser()
    if found := next((place for place in (path, *_below_roots(text)) if _is_data(place)), None):
        return found
    if path.is_dir():
        raise DataError(
            f"data {text}: a folder without data came; IDX files, a folder of images for each class, or "
            "the folders images and masks, are needed"
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
    files = [Path(f"{word}{ending}") for word in words for ending in _FOUND]
    inside = [*(Path(file.stem) / file for file in files), *map(Path, words), *files]
    return [root / place for root in _roots() for place in inside]


def _is_data(place: Path) -> bool:
    return place.is_file() or (place.is_dir() and _reader_of_folder(place) is not None)


def _reader(path: Path, reading: Reading) -> Reader:
    if path.is_dir() and (reader := _reader_of_folder(path)):
        is_asked_for_classes = reading.options.task == "classification"
        return pictures.folder if reader is pictures.masked and is_asked_for_classes else reader
    if path.suffix.lower() not in _READERS:
        raise DataError(f"data {path}: a file came; .npz, .parquet, .csv or a folder is allowed")
    return _READERS[path.suffix.lower()]


def _reader_of_folder(path: Path) -> Reader | None:
    if tables.has_idx(path):
        names = _FASHION if "fashion" in path.name else ()
        return lambda folder, _: tables.idx(folder, names)
    if pictures.has_masks(path):
        return pictures.masked
    return pictures.folder if pictures.has_classes(path) else None
